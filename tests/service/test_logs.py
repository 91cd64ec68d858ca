from __future__ import annotations

import json
import logging
import sys

from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.logs import JsonFormatter, TextFormatter, one_line


def record(message: str, **extra: object) -> logging.LogRecord:
    entry = logging.LogRecord("perception_reward.service.api", logging.INFO, __file__, 1, message, None, None)
    entry.__dict__.update(extra)
    return entry


@given(st.text())
def test_no_text_can_start_a_line_of_its_own(text: str):
    assert len(one_line(text).splitlines()) <= 1
    assert len(TextFormatter().format(record("%s", run=text)).splitlines()) == 1
    assert len(JsonFormatter().format(record("x", run=text)).splitlines()) == 1


def test_text_lines_carry_level_logger_message_and_fields():
    line = TextFormatter().format(record("scored", items=8))
    assert line.endswith("info    service.api: scored items=8")


def test_json_lines_parse():
    entry = json.loads(JsonFormatter().format(record("scored", items=8)))
    assert entry["message"] == "scored"
    assert entry["items"] == 8
    assert entry["level"] == "info"


def test_a_traceback_is_kept():
    try:
        raise ValueError("broken")
    except ValueError:
        entry = record("failed")
        entry.exc_info = sys.exc_info()
    assert "ValueError: broken" in TextFormatter().format(entry)
    assert "ValueError: broken" in json.loads(JsonFormatter().format(entry))["traceback"]

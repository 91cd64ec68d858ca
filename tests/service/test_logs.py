from __future__ import annotations

import json
import logging
import sys

import pytest
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


@pytest.mark.parametrize("run", ["a items=9", 'a" items="9', "a\u00a0items=9", "a\titems=9", "", "=9"])
def test_a_value_cannot_forge_a_field(run: str):
    line = TextFormatter().format(record("scored", run=run, seconds=1))
    shown = line.partition("scored run=")[2].removesuffix(" seconds=1")
    assert shown.startswith('"')
    assert shown.endswith('"')
    assert '"' not in shown[1:-1].replace('\\"', "")


def test_plain_values_stay_plain():
    assert TextFormatter().format(record("x", run="grpo-7b/1", прогон="первый")).endswith("run=grpo-7b/1 прогон=первый")


@pytest.mark.parametrize("control", "\u202e\u2066\u200f\u061c\u200e\u202a\u2069")
def test_the_direction_of_a_line_cannot_be_turned(control: str):
    line = TextFormatter().format(record("scored", run=f"a{control}b"))
    assert control not in line
    assert f"\\u{ord(control):04x}" in line


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

from __future__ import annotations

import io
import json
import logging
import logging.config
import os
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.logs import JsonFormatter, QueuedHandler, RateLimit, TextFormatter, one_line


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


def handler_to(stream: object, capacity: int = 100) -> QueuedHandler:
    handler = QueuedHandler(stream, capacity)  # type: ignore[arg-type]
    handler.setFormatter(TextFormatter())
    return handler


def test_lines_are_written_in_order_and_all_of_them_before_the_end():
    stream = io.StringIO()
    handler = handler_to(stream)
    for number in range(50):
        handler.handle(record(f"line {number}."))
    handler.close()
    assert [line.partition(": ")[2] for line in stream.getvalue().splitlines()] == [f"line {n}." for n in range(50)]
    assert handler.dropped == 0


def test_a_library_that_configures_logging_does_not_silence_the_service():
    stream = io.StringIO()
    handler = handler_to(stream)
    handler.handle(record("before."))
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    handler.handle(record("after."))
    handler.flush()
    assert [line.partition(": ")[2] for line in stream.getvalue().splitlines()] == ["before.", "after."]
    handler.close()


def test_a_pipe_that_nobody_reads_costs_lines_and_no_time():
    reading, writing = os.pipe()
    lines: list[str] = []

    def read() -> None:
        with open(reading, encoding="utf-8") as reader:
            lines.extend(reader)

    with open(writing, "w", encoding="utf-8") as stream:
        handler = handler_to(stream)
        for number in range(5000):
            handler.handle(record(f"a line of some length, the number {number}"))
        assert handler.dropped > 1000
        slow_reader = threading.Thread(target=read)
        slow_reader.start()
        handler.flush()
        handler.handle(record("the last"))
        handler.close()
    slow_reader.join()
    assert sum("a line of some length" in line for line in lines) + handler.dropped == 5000
    told = [int(line.rpartition("lines=")[2]) for line in lines if "lines were dropped" in line]
    assert sum(told) == handler.dropped


def test_a_stream_that_is_closed_costs_its_lines_alone():
    stream = io.StringIO()
    handler = handler_to(stream)
    stream.close()
    handler.handle(record("lost"))
    handler.close()
    assert handler.dropped == 1


def test_a_record_that_does_not_fit_its_own_words_is_told_by_its_place():
    stream = io.StringIO()
    handler = handler_to(stream)
    broken = record("x")
    broken.msg, broken.args = "%d items", ("many",)
    handler.handle(broken)
    handler.close()
    assert "a record could not be formatted" in stream.getvalue()
    assert __file__ in stream.getvalue()


def test_a_long_line_is_cut():
    stream = io.StringIO()
    handler = handler_to(stream)
    handler.handle(record("x" * 100_000))
    handler.close()
    assert len(stream.getvalue()) < 20_000


def warning(line: int, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("service", level, __file__, line, "full", None, None)


def test_a_fault_that_repeats_is_told_some_times_and_then_counted(monkeypatch: pytest.MonkeyPatch):
    now = [1000.0]
    monkeypatch.setattr("perception_reward.service.logs.time.monotonic", lambda: now[0])
    limit = RateLimit(burst=5, seconds=1)
    assert sum(bool(limit.filter(warning(1))) for _ in range(1000)) == 5
    assert limit.filter(warning(2)), "another place has an allowance of its own"
    now[0] += 1
    late = warning(1)
    assert limit.filter(late)
    assert late.__dict__["suppressed"] == 995
    assert not limit.filter(warning(1))
    now[0] += 1000
    assert sum(bool(limit.filter(warning(1))) for _ in range(1000)) == 5


def test_the_lines_of_requests_are_never_held_back():
    limit = RateLimit(burst=5, seconds=1)
    assert all(limit.filter(warning(1, logging.INFO)) for _ in range(1000))

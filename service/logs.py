"""One line per event, as text or JSON. Nothing that a request contains can start a line of its own."""

from __future__ import annotations

import json
import logging
import re
import time

# Those that end a line, move a terminal's cursor, or turn the direction of what is read.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# A value that could be read as more than one value, or as a field of its own.
_AMBIGUOUS = re.compile(r"[\s\"'=]|^$")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "color_message",
    "taskName",
}


def one_line(text: str) -> str:
    """`text` with every character that could break or turn the line shown as its escape."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def fields(record: logging.LogRecord) -> dict[str, object]:
    """What the caller attached to the record with `extra`."""
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD}


def _value(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if _AMBIGUOUS.search(text) else text


class TextFormatter(logging.Formatter):
    """`2026-11-22T21:00:00Z info  service.api  scored  items=8 seconds=0.21`."""

    converter = time.gmtime
    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = None

    def format(self, record: logging.LogRecord) -> str:
        extras = " ".join(f"{key}={_value(value)}" for key, value in fields(record).items())
        name = record.name.removeprefix("perception_reward.")
        line = f"{self.formatTime(record)} {record.levelname.lower():7} {name}: {record.getMessage()} {extras}"
        line = one_line(line.rstrip())
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line += "".join(f"\n    {one_line(part)}" for part in trace.splitlines())
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, what was attached, and a traceback if there is one."""

    converter = time.gmtime
    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = None

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields(record),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configure(level: str, *, as_json: bool) -> None:
    """Send everything from `level` on to standard error. For the command line: a library never configures logging."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("uvicorn", "uvicorn.error", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.getLogger().level, logging.WARNING))

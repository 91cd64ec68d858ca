"""One line per event, as text or JSON. Nothing that a request contains can start a line of its own.

Lines are made where they are logged and written by a thread of their own, through a bounded queue: whoever reads
standard error slowly, or not at all, costs lines and never the service. What is lost is counted.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import re
import sys
import threading
import time
from collections import deque
from typing import TextIO

# Lines that wait for a slow reader: some megabytes, and minutes of requests.
MOST_WAITING = 8192
# A line's length; a traceback fits.
MOST_CHARACTERS = 16384
# Lines of one write: a pipe holds 64 KiB.
LINES_AT_ONCE = 64
# Lines that come soon after one are written with it: waking the thread costs more than a line.
GATHER_SECONDS = 0.1
# At exit, the time that a stuck reader gets.
FLUSH_SECONDS = 2.0

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


class RateLimit(logging.Filter):
    """Lets through, for each place in the code that warns, `burst` records at once and one more every `seconds`.

    A fault that repeats ten thousand times a second then costs a line a second, which says how many it stands for.
    Records below a warning pass: there is one for each request, and their number is the callers' to choose.
    """

    def __init__(self, burst: int = 20, seconds: float = 1.0) -> None:
        super().__init__()
        self._burst = burst
        self._seconds = seconds
        # Per place: until when its allowance is used up, and how many records were held back since it last spoke.
        self._places: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        place = (record.pathname, record.lineno)
        used_up, held = self._places.get(place, (0.0, 0))
        now = time.monotonic()
        used_up = max(used_up, now - self._burst * self._seconds) + self._seconds
        if used_up > now:
            self._places[place] = (used_up - self._seconds, held + 1)
            return False
        self._places[place] = (used_up, 0)
        if held:
            record.suppressed = held
        return True


class QueuedHandler(logging.Handler):
    """Writes lines to `stream` from a thread, at most `capacity` of them waiting; what does not fit is dropped.

    Neither a record that cannot be formatted nor a stream that is closed, full or stuck reaches the code that logs.
    """

    def __init__(self, stream: TextIO, capacity: int = MOST_WAITING) -> None:
        super().__init__()
        self._stream = stream
        self._descriptor = _descriptor(stream)
        self._capacity = capacity
        self._lines: deque[str] = deque()
        self._changed = threading.Condition()
        self._writing = False
        self._idle = False
        self._hurry = 0
        self._writer: threading.Thread | None = None
        self._closed = False
        self._told = 0
        self.dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # its arguments do not fit its message, say: where it is from can still be told
            line = self.format(_note("a record could not be formatted", place=f"{record.pathname}:{record.lineno}"))
        with self._changed:
            if len(self._lines) >= self._capacity:
                self.dropped += 1
                return
            self._lines.append(line if len(line) <= MOST_CHARACTERS else line[:MOST_CHARACTERS] + " …")
            # `logging.config` closes every handler of the process, also those in use: the next line opens this one.
            self._closed = False
            if self._writer is None:
                self._writer = self._started()
            if self._idle:
                self._changed.notify_all()

    def _started(self) -> threading.Thread | None:
        thread = threading.Thread(target=self._write, name="log writer", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread to be had: the next line tries again
            return None
        return thread

    def flush(self) -> None:
        """Waits until everything is written, but not for a reader who does not read."""
        with self._changed:
            self._hurry += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._lines and not self._writing, timeout=FLUSH_SECONDS)
            self._hurry -= 1

    def close(self) -> None:
        self.flush()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        super().close()

    def _write(self) -> None:
        while (lines := self._next()) is not None:
            try:
                self._put("".join(f"{line}\n" for line in lines))
            except (OSError, ValueError):  # the reader is gone, the disk is full, or the stream was closed
                self.dropped += len(lines)
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _put(self, text: str) -> None:
        """By the descriptor where there is one: a thread stuck in the stream itself would hold its lock at exit."""
        if self._descriptor is None:
            self._stream.write(text)
            self._stream.flush()
            return
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _next(self) -> list[str] | None:
        """The next lines to write; None at the end."""
        with self._changed:
            self._idle = True
            self._changed.wait_for(lambda: self._lines or self._closed)
            self._idle = False
            self._changed.wait_for(lambda: self._hurry or self._closed, timeout=GATHER_SECONDS)
            if not self._lines:
                self._writer = None
                return None
            lines = [self._lines.popleft() for _ in range(min(len(self._lines), LINES_AT_ONCE))]
            self._writing = True
            if self.dropped > self._told and len(self._lines) < self._capacity // 2:
                self._told, lost = self.dropped, self.dropped - self._told
                lines.append(self.format(_note("lines were dropped, as standard error is read too slowly", lines=lost)))
            return lines


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _note(message: str, **attached: object) -> logging.LogRecord:
    """A record of the log's own."""
    record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, None, None)
    record.__dict__.update(attached)
    return record


def dropped() -> int:
    """Lines that were never written since the log was configured."""
    return sum(handler.dropped for handler in logging.getLogger().handlers if isinstance(handler, QueuedHandler))


def configure(level: str, *, as_json: bool) -> None:
    """Send everything from `level` on to standard error. For the command line: a library never configures logging."""
    handler = QueuedHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    handler.addFilter(RateLimit())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What was closed in between, `logging` itself does not flush.
    atexit.register(handler.flush)
    for chatty in ("uvicorn", "uvicorn.error", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.getLogger().level, logging.WARNING))

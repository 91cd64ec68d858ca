"""What was paid for, kept for good: one file of JSON Lines a step, to which lines are only added.

    with Journal.opened(path, step="extract", began="2026-11-26") as journal:
        journal.put(key, {"text": "…"}, tokens=(812, 96))
        journal.get(key)                                    # {"text": "…"}

A key is the content of what was asked, so that a line serves every later run that asks the same. A line is written in
one call before its value is used: a process may be killed at any moment, and what was cut off is taken away at the next
start. One process writes at a time. Memory holds 16 bytes a line, and the lines are read where they stand."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import numpy as np

# Hexadecimal digits of a key: of a billion lines, two would share one by chance once in 10^20 times.
KEY_DIGITS = 32
# Lines that are held in a dict before they join the sorted arrays.
RECENT = 65_536
# Rows are asked for in about the order in which their lines were written: what is read stands for the next ones too.
BLOCK, BLOCKS = 65_536, 8
_LINE = re.compile(rb'\{"key":"([0-9a-f]{32})","tokens":\[(\d+),(\d+)\],')


class JournalFault(ValueError):
    """The file is no journal of this step, or another process writes it."""


class Journal:
    """See the module. began: the day on which the first run began, which every row's provenance names.

    spent: tokens read and written by the model, over all runs. answers: lines.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        self._file = descriptor
        self._path = path
        self._keys = np.empty(0, dtype=np.uint64)
        self._places = np.empty(0, dtype=np.int64)
        self._recent: dict[int, int] = {}
        self._end = 0
        self._blocks: deque[tuple[int, bytes]] = deque(maxlen=BLOCKS)
        self.began = ""
        self.spent = (0, 0)
        self.answers = 0

    @classmethod
    @contextmanager
    def opened(cls, path: Path, *, step: str, began: str) -> Generator[Journal]:
        """Raises `JournalFault`, and `OSError`."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise JournalFault(f"{path} is being written by another run; wait for it, or stop it") from None
            journal = cls(descriptor, path)
            journal._read(step, began)
            yield journal
        finally:
            os.close(descriptor)

    def get(self, key: str) -> dict[str, Any] | None:
        """The value that was put under `key`; None where there is none."""
        short = int(key[:16], 16)
        if (place := self._recent.get(short)) is not None and (found := self._value(place, key)) is not None:
            return found
        at = int(np.searchsorted(self._keys, np.uint64(short)))
        while at < len(self._keys) and int(self._keys[at]) == short:
            if (found := self._value(int(self._places[at]), key)) is not None:
                return found
            at += 1
        return None

    def put(self, key: str, value: dict[str, Any], tokens: tuple[int, int] = (0, 0)) -> None:
        """Keep `value`. Raises `OSError`, and then nothing is kept."""
        time = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        rest = json.dumps({"time": time, "value": value}, ensure_ascii=False, separators=(",", ":"))
        line = f'{{"key":"{key}","tokens":[{tokens[0]},{tokens[1]}],{rest[1:]}\n'.encode("utf-8", "surrogatepass")
        self._note(int(key[:16], 16), self._end)
        self._append(line)
        self._count(tokens)

    def _append(self, line: bytes) -> None:
        try:
            if (count := os.pwrite(self._file, line, self._end)) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise OSError(error.errno, error.strerror, str(self._path)) from None
        self._end += count

    def _read(self, step: str, began: str) -> None:
        keys, places = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        some_keys, some_places = list[int](), list[int]()
        with open(os.dup(self._file), "rb") as lines:
            for number, line in enumerate(lines):
                if not line.endswith(b"\n"):
                    break
                if number == 0:
                    self.began = self._header(line, step)
                elif (found := _LINE.match(line)) is None:
                    raise JournalFault(f"{self._path} line {number + 1}: is no line of a journal; move the file away")
                else:
                    some_keys.append(int(found[1][:16], 16))
                    some_places.append(self._end)
                    self._count((int(found[2]), int(found[3])))
                    if len(some_keys) == RECENT:
                        keys.append(np.array(some_keys, np.uint64))
                        places.append(np.array(some_places, np.int64))
                        some_keys, some_places = [], []
                self._end += len(line)
        os.ftruncate(self._file, self._end)
        self._sort([*keys, np.array(some_keys, np.uint64)], [*places, np.array(some_places, np.int64)])
        if not self.began:
            self.began = began
            self._append(json.dumps({"journal": step, "began": began}).encode() + b"\n")

    def _header(self, line: bytes, step: str) -> str:
        try:
            header = cast("dict[str, str]", json.loads(line))
            if header["journal"] == step:
                return header["began"]
        except (ValueError, KeyError, TypeError):
            pass
        raise JournalFault(f"{self._path} is no journal of `{step}`; name another output, or move the file away")

    def _note(self, short: int, place: int) -> None:
        if len(self._recent) >= RECENT or short in self._recent:
            self._sort(
                [self._keys, np.fromiter(self._recent.keys(), np.uint64)],
                [self._places, np.fromiter(self._recent.values(), np.int64)],
            )
            self._recent.clear()
        self._recent[short] = place

    def _sort(self, keys: list[Any], places: list[Any]) -> None:
        all_keys, all_places = np.concatenate(keys), np.concatenate(places)
        order = np.argsort(all_keys, kind="stable")
        self._keys, self._places = all_keys[order], all_places[order]

    def _count(self, tokens: tuple[int, int]) -> None:
        self.spent = (self.spent[0] + tokens[0], self.spent[1] + tokens[1])
        self.answers += 1

    def _value(self, place: int, key: str) -> dict[str, Any] | None:
        line = self._line(place)
        if not line.startswith(f'{{"key":"{key}"'.encode()):
            return None
        return cast("dict[str, Any]", json.loads(line.decode("utf-8", "surrogatepass"))["value"])

    def _line(self, place: int) -> bytes:
        """The line that begins at `place`, without its end; nothing where none ends."""
        for start, block in self._blocks:
            if start <= place < start + len(block) and (end := block.find(b"\n", place - start)) >= 0:
                return block[place - start : end]
        size = BLOCK
        while (end := (block := os.pread(self._file, size, place)).find(b"\n")) < 0:
            if len(block) < size:
                return b""
            size *= 4
        self._blocks.append((place, block[:BLOCK]))
        return block[:end]

"""Large JSON bodies cut into parts that are small, before anything is made of them.

`split` walks over a body once, in slices between which the event loop serves others, and looks only at what holds its
structure together: brackets and commas outside strings. The lists that it is told of are cut into their elements, each
a range of bytes; what is left of the body is its frame, in which they are empty. So whatever a body holds, no call of a
parser gets more than `MOST_IN_ONE` values at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from perception_reward.service.api.memory import OBJECT_BYTES, VALUE_BYTES, Share
from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.pace import Pace

# Values in one element, or around all of them. A parser takes some 20 ms for as many.
MOST_IN_ONE = 65536
MOST_DEPTH = 128
# Bytes of one element, or around all of them: 4 million characters, which is the most that is read of a response, all
# of them escaped.
MOST_IN_ONE_BYTES = 24_000_000
# Bytes looked at in one go, at least two: some 5 ms of the slowest, which is a string of escapes.
WINDOW = 1 << 18
# Values that are counted before memory is asked for, and stops before others have a turn.
COUNTED_AT_ONCE = 4096

_TOO_MANY_BYTES = f"holds over {MOST_IN_ONE_BYTES // 1_000_000} million bytes"
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STOP = re.compile(rb'[^"{}\[\],]*+(?:' + _STRING + rb'[^"{}\[\],]*+)*+([{}\[\],])', re.DOTALL)
_PLAIN = re.compile(rb'[^"{}\[\],]*+')
_INSIDE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_BLANK = re.compile(rb"[ \t\r\n]*+")
_NAME = re.compile(rb'"([^"\\]{1,64})"[ \t\r\n]*:[ \t\r\n]*\Z')
_NAME_BYTES = 128
_COMMA, _OPEN_LIST, _OPEN_OBJECT, _QUOTE, _BACKSLASH = b',[{"\\'


def most_values(body: bytes) -> int:
    """At least as many as the body has values: its commas and opening brackets, those in strings among them."""
    return sum(body.count(mark) for mark in b",[{")


Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Parts:
    """A body in parts. frame: the body without what its lists hold. lists: by name, where their elements stand."""

    frame: bytes
    lists: Mapping[str, Sequence[Span]]


async def split(body: bytes, most: Mapping[str, int], share: Share) -> Parts:
    """Cut the lists directly inside the body's object that are named in `most`, with the most elements of each.

    Raises `InvalidRequest` for a list, an element or a frame that is too large, what `share` raises where there is no
    room for all of them, and `json.JSONDecodeError` for what is nested too deeply. What is no JSON otherwise is left to
    the parser.
    """
    walk = _Walk(body, most, share)
    pace = Pace()
    position = 0
    while position < len(body):
        position = walk.far(position)
        await pace.keep()
        if position < len(body) and walk.blocked:
            position = await _over(body, position, pace)
            walk.blocked = False
    return walk.parts()


async def _over(body: bytes, position: int, pace: Pace) -> int:
    """Where what begins at `position` and is longer than a window ends: a string, or what stands between two."""
    found = _PLAIN.match(body, position, position + WINDOW)
    position = found.end() if found else position
    if position >= len(body) or body[position] != _QUOTE:
        return position
    position += 1
    while (found := _INSIDE.match(body, position, position + WINDOW)) is not None:
        end = found.end()
        if end < len(body) and body[end] == _QUOTE:
            return end + 1
        if end == position:  # it ends with a backslash
            break
        position = end
        await pace.keep()
    return len(body)


class _Walk:
    """How far a walk has come, and what it has found."""

    def __init__(self, body: bytes, most: Mapping[str, int], share: Share) -> None:
        self._body = body
        self._most = most
        self._share = share
        self._frame: list[bytes] = []
        self._framed = 0  # bytes of the body that are in the frame, or left out of it
        self._lists: dict[str, list[Span]] = {}
        self._name = ""
        self._depth = 0
        self._start = -1  # of the current element, where one of the lists is open
        self._in_one = 0
        self._around = 0
        self._made = 0  # bytes that all of it takes once it is read
        self.blocked = False

    def parts(self) -> Parts:
        if self._start >= 0:  # the list never ends: what there is of the frame is no JSON, and that is said
            return Parts(b"".join(self._frame), self._lists)
        frame = b"".join([*self._frame, self._body[self._framed :]])
        if len(frame) > MOST_IN_ONE_BYTES:
            raise InvalidRequest("body", f"{_TOO_MANY_BYTES}, its items aside")
        return Parts(frame, self._lists)

    def far(self, position: int) -> int:
        """Walk on for a turn; the new position. `blocked`: something there is longer than a window."""
        body, match, values, objects = self._body, _STOP.match, 0, 0
        end = position + WINDOW
        while values < COUNTED_AT_ONCE and position < end:
            found = match(body, position, position + WINDOW)
            if found is None:
                self.blocked = True
                break
            position = found.end()
            stop = body[position - 1]
            if stop == _COMMA:
                values += 1
                if self._depth == 2 and self._start >= 0:
                    self._end_element(position)
            elif stop in (_OPEN_LIST, _OPEN_OBJECT):
                values += 1
                objects += stop == _OPEN_OBJECT
                self._open(stop, position)
            else:
                self._close(position)
            self._count()
        self._made += values * VALUE_BYTES + objects * (OBJECT_BYTES - VALUE_BYTES)
        self._share.make(self._made)
        return position

    def _open(self, stop: int, position: int) -> None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise json.JSONDecodeError("nested too deeply", "", 0)
        if self._depth == 2 and stop == _OPEN_LIST and (name := self._name_before(position - 1)) in self._most:
            self._frame.append(self._body[self._framed : position])
            self._name = name
            self._lists[name] = []  # of two with one name, the last one counts, as for every parser
            self._start, self._in_one = position, 0

    def _close(self, position: int) -> None:
        self._depth -= 1
        if self._depth == 1 and self._start >= 0:
            blank = _BLANK.fullmatch(self._body, self._start, position - 1)
            if self._lists[self._name] or blank is None:
                self._end_element(position)
            self._framed, self._start = position - 1, -1

    def _end_element(self, position: int) -> None:
        if position - self._start > MOST_IN_ONE_BYTES:
            raise self._too_much(_TOO_MANY_BYTES)
        spans, most = self._lists[self._name], self._most[self._name]
        if len(spans) == most:
            raise InvalidRequest(self._name, f"over {most:,} items; send at most so many")
        spans.append((self._start, position - 1))
        self._start, self._in_one = position, 0

    def _too_much(self, what: str) -> InvalidRequest:
        return InvalidRequest(f"{self._name}[{len(self._lists[self._name])}]", what)

    def _name_before(self, position: int) -> str:
        found = _NAME.search(self._body, max(0, position - _NAME_BYTES), position)
        return found.group(1).decode("utf-8", "replace") if found else ""

    def _count(self) -> None:
        if self._start >= 0:
            self._in_one += 1
            if self._in_one > MOST_IN_ONE:
                raise self._too_much(f"holds over {MOST_IN_ONE:,} values")
        else:
            self._around += 1
            if self._around > MOST_IN_ONE:
                raise InvalidRequest("body", f"holds over {MOST_IN_ONE:,} values, its items aside")

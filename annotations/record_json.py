"""Records as JSON: an object a line, or objects one after another, in an array or not. Memory holds one at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from io import StringIO
from typing import TextIO, TypeAlias, cast

from perception_reward.annotations.faults import LineError, Record

# Characters of one record. Its images may be in it; what is longer is no record but another kind of file.
LONGEST = 64 * 1024 * 1024
CHUNK = 1 << 20

_SPACE = re.compile(r"[\s\ufeff]*")
_BETWEEN = re.compile(r"[\s\ufeff,]*")

# What becomes of NaN and Infinity, which Python writes and JSON does not know.
Constants: TypeAlias = Callable[[str], object]


def refuse(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def as_null(name: str) -> object:
    return None


def parse_records(
    lines: Iterable[str | bytes], constants: Constants = refuse, after: int = 0
) -> Iterator[tuple[int, Record | LineError]]:
    """The JSON object of each line that is not blank, with the line's number from 1; of those behind line `after`.

    Text lines may hold bytes that are no UTF-8 as lone surrogates (`errors="surrogateescape"`).
    """
    for number, line in enumerate(lines, start=1):
        if number <= after:
            continue
        try:
            text = _text(line, first=number == 1)
        except UnicodeError as error:
            yield number, LineError(number, "", f"is not UTF-8 ({_place(error)})")
            continue
        if text:
            yield number, _record(number, text, constants)


def bounded_lines(stream: TextIO) -> Iterator[str]:
    """The lines of `stream`. Of one that is too long, as much as shows that it is."""
    while line := stream.readline(LONGEST + 1):
        yield line
        while len(line) > LONGEST and line and not line.endswith("\n"):
            line = stream.readline(LONGEST + 1)


def json_values(stream: TextIO, constants: Constants = refuse) -> Iterator[tuple[int, Record | LineError]]:
    """The objects of an array, or one after another, counted from 1. The first that is no JSON is the last one told."""
    source = _Buffer(stream)
    decoder = json.JSONDecoder(parse_constant=constants)
    in_array = source.peek() == "["
    source.take(in_array)
    number = 0
    while (start := source.peek(commas=in_array and number > 0)) and not (in_array and start == "]"):
        number += 1
        try:
            value = source.value(decoder)
        except (ValueError, RecursionError) as error:
            yield number, LineError(number, "", f"is not JSON ({_words(error)}); it begins in line {source.line}")
            return
        yield number, _object(number, value)
    if in_array and not start:
        yield number + 1, LineError(number + 1, "", "is missing: the file ends before its array does")
    source.take(bool(start))
    if start and source.peek():
        yield number + 1, LineError(number + 1, "", f"is behind the end of the array, in line {source.line}")


def json_members(stream: TextIO, names: Collection[str]) -> Iterator[tuple[str, str, object]]:
    """What one JSON object holds under `names`: (name, key, entry) for each entry of the list or object there.

    Entries come one at a time; the key is that of an object's entry, and empty for a list's. All else is skipped.
    Raises `ValueError` where the document is no JSON, or ends too early.
    """
    source = _Buffer(stream)
    try:
        yield from _members(source, names)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON ({error.msg}) in line {source.line}") from None


def _members(source: _Buffer, names: Collection[str]) -> Iterator[tuple[str, str, object]]:
    decoder = json.JSONDecoder(parse_constant=refuse)
    for name in _keys(source, decoder):
        opened = source.peek()
        if name not in names or opened not in ("[", "{"):
            source.value(decoder)
        elif opened == "{":
            for key in _keys(source, decoder):
                yield name, key, source.value(decoder)
        else:
            source.take(True)
            while source.expect(commas=True) != "]":
                yield name, "", source.value(decoder)
            source.take(True)


def _keys(source: _Buffer, decoder: json.JSONDecoder) -> Iterator[str]:
    """The keys of the object that comes next; each one's value has to be taken before the next key."""
    if source.expect() != "{":
        raise ValueError("is not one JSON object")
    source.take(True)
    while source.expect(commas=True) != "}":
        key = source.value(decoder)
        if not isinstance(key, str) or source.expect() != ":":
            raise ValueError(f"is not JSON in line {source.line}")
        source.take(True)
        source.expect()
        yield key
    source.take(True)


def holds_objects_by_key(head: str) -> bool:
    """Whether a text that begins so is one object whose values are the records: `{"7": {…}, "8": {…}}`.

    Two values that have most of their fields in common are a sign of that. A record of many objects has none.
    """
    source, decoder, found = _Buffer(StringIO(head)), json.JSONDecoder(), list[dict[str, object]]()
    try:
        for _ in _keys(source, decoder):
            if source.peek() != "{":
                return False
            found.append(cast("dict[str, object]", source.value(decoder)))
            if len(found) == 2:
                break
    except (ValueError, RecursionError):
        # The second value may be cut off: what its first fields are called tells enough.
        return len(found) == 1 and source.peek() == "{" and any(f'"{name}"' in source.rest() for name in found[0])
    if len(found) < 2:
        return False
    one, other = (value.keys() for value in found)
    return len(one & other) * 2 > max(len(one), len(other))


def keyed_values(stream: TextIO, constants: Constants = refuse) -> Iterator[tuple[int, Record | LineError]]:
    """The objects in one object, counted from 1, each with its key as `id`, where it has no field of that name."""
    source, decoder, number = _Buffer(stream), json.JSONDecoder(parse_constant=constants), 0
    try:
        for key in _keys(source, decoder):
            record = _object(number + 1, source.value(decoder))
            number += 1
            yield number, record if isinstance(record, LineError) else {"id": key, **record}
    except (ValueError, RecursionError) as error:
        yield number + 1, LineError(number + 1, "", f"is not JSON ({_words(error)}); it begins in line {source.line}")


class _Buffer:
    """What has been read of a stream and not been used."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self.line = 1

    def peek(self, *, commas: bool = False) -> str:
        """The next character that is no white space (nor a comma, where `commas`); empty at the end."""
        while True:
            skipped = (_BETWEEN if commas else _SPACE).match(self._text, self._at)
            self._advance(skipped.end() if skipped else self._at)
            if self._at < len(self._text) or not self._more(CHUNK):
                return self._text[self._at : self._at + 1]

    def expect(self, *, commas: bool = False) -> str:
        """As `peek`, where there has to be something."""
        found = self.peek(commas=commas)
        if not found:
            raise ValueError(f"ends in line {self.line}, in the middle of a value")
        return found

    def take(self, one: bool) -> None:
        """Use up one character, where `one`."""
        self._advance(self._at + one)

    def rest(self) -> str:
        """What has been read and not been used."""
        return self._text[self._at :]

    def value(self, decoder: json.JSONDecoder) -> object:
        """The next value. Raises `ValueError` for what is none."""
        while True:
            try:
                value, end = cast("tuple[object, int]", decoder.raw_decode(self._text, self._at))
            except json.JSONDecodeError:
                # Half a value is no JSON either, until the rest of it is there.
                if len(self._text) - self._at > LONGEST or not self._more(max(CHUNK, len(self._text) - self._at)):
                    raise
                continue
            # A number may go on in what has not been read yet.
            if end < len(self._text) or self._text[end - 1] in '}]"' or not self._more(CHUNK):
                self._advance(end)
                return value

    def _advance(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _more(self, size: int) -> bool:
        """Read on, and forget what has been used."""
        read = self._stream.read(size)
        self._text, self._at = self._text[self._at :] + read, 0
        return bool(read)


def _text(line: str | bytes, *, first: bool) -> str:
    if isinstance(line, bytes):
        line = line.decode("utf-8-sig" if first else "utf-8")
    elif not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError:
            line = line.encode("utf-8", "surrogateescape").decode()
    return (line.removeprefix("\ufeff") if first else line).strip()


def _words(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _place(error: UnicodeError) -> str:
    if isinstance(error, UnicodeDecodeError | UnicodeEncodeError):
        return f"byte {error.start + 1}: {error.reason}"
    return str(error)


def _record(number: int, text: str, constants: Constants) -> Record | LineError:
    if len(text) > LONGEST:
        return LineError(number, "", f"is longer than {LONGEST} characters")
    try:
        value: object = json.loads(text, parse_constant=constants)
    except json.JSONDecodeError as error:
        return LineError(number, "", f"is not JSON ({error.msg} at column {error.colno})")
    except (ValueError, RecursionError) as error:
        return LineError(number, "", f"is not JSON that can be read ({error})")
    return _object(number, value)


def _object(number: int, value: object) -> Record | LineError:
    if not isinstance(value, dict):
        return LineError(number, "", f"holds {type(value).__name__} where a JSON object should be")
    return cast(Record, value)

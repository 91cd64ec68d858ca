"""Annotations as JSON Lines: one JSON object a line, UTF-8, gzip where the name ends in `.gz`.

A byte order mark, Windows line ends and blank lines are fine. A fault names its line and field, and all
faults of a file are collected: a person mends them in one go.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from pydantic import ValidationError

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.store import StoreError

SHOWN_FAULTS = 20
MAX_LINE_CHARACTERS = 8 * 1024 * 1024
MAX_NAME_CHARACTERS = 80

Record: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LineError:
    """A fault of one line (or table row), counted from 1; `field` is empty where all of it is at fault."""

    line: int
    field: str
    message: str


class AnnotationFileError(StoreError, ValueError):
    """A file that cannot be used, with all its faults; the message shows the first 20."""

    def __init__(self, path: Path | str, faults: Iterable[LineError], unit: str = "line") -> None:
        self.path = str(path)
        self.faults = tuple(faults)
        name = Path(path).name
        shown = [f"{name} {unit} {fault.line}: {fault.message}" for fault in self.faults[:SHOWN_FAULTS]]
        if len(self.faults) > SHOWN_FAULTS:
            shown.append(f"… and {len(self.faults) - SHOWN_FAULTS} more faults in {name}")
        super().__init__("\n".join(shown))
        self._unit = unit

    def __reduce__(self) -> tuple[type[AnnotationFileError], tuple[str, tuple[LineError, ...], str]]:
        return type(self), (self.path, self.faults, self._unit)


def parse_lines(lines: Iterable[str | bytes]) -> Iterator[Annotation | LineError]:
    """Each line's annotation, or its first fault. A blank line yields nothing, but is counted.

    An id that an earlier line has is a fault that names both lines; the first one stands.
    """
    return (found for _, found in check_records(parse_records(lines)))


def parse_records(lines: Iterable[str | bytes]) -> Iterator[tuple[int, Record | LineError]]:
    """The JSON object of each line that is not blank, with the line's number."""
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8") if isinstance(line, bytes) else line
        except UnicodeDecodeError as error:
            yield number, LineError(number, "", f"is not UTF-8 (byte {error.start + 1}: {error.reason})")
            continue
        text = (text.removeprefix("\ufeff") if number == 1 else text).strip()
        if text:
            yield number, _record(number, text)


def check_records(
    records: Iterable[tuple[int, Record | LineError]], unit: str = "line"
) -> Iterator[tuple[int, Annotation | LineError]]:
    """Validate records, and refuse ids that come twice."""
    seen: dict[str, int] = {}
    for number, record in records:
        found = record if isinstance(record, LineError) else _annotation(number, record)
        if isinstance(found, Annotation):
            first = seen.setdefault(found.id, number)
            if first != number:
                found = LineError(number, "id", f"the id {found.id!r} is already that of {unit} {first}")
        yield number, found


def read_jsonl(path: Path) -> dict[int, Annotation]:
    """A file's annotations by line, in order. Raises `AnnotationFileError` with every fault, or `OSError`."""
    try:
        with open_lines(path) as lines:
            return collect(path, check_records(parse_records(lines)))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise AnnotationFileError(path, [LineError(1, "", f"is no complete gzip file ({error})")]) from None


def collect(
    path: Path, found: Iterable[tuple[int, Annotation | LineError]], unit: str = "line"
) -> dict[int, Annotation]:
    """The annotations by place, if nothing is at fault; raises `AnnotationFileError` otherwise."""
    annotations: dict[int, Annotation] = {}
    faults: list[LineError] = []
    for place, one in found:
        if isinstance(one, LineError):
            faults.append(one)
        else:
            annotations[place] = one
    if faults:
        raise AnnotationFileError(path, faults, unit)
    return annotations


def open_lines(path: Path) -> BinaryIO:
    """The file's bytes, unpacked where its name ends in `.gz`."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def to_json(annotation: Annotation) -> str:
    """One line, without its end; fields at their defaults are left out."""
    return annotation.model_dump_json(exclude_defaults=True)


def write_jsonl(path: Path, annotations: Iterable[Annotation]) -> int:
    """Write a file whole or not at all, and return the number of annotations.

    The lines go to a temporary file in the same folder, which then takes the name: a reader sees the old file
    or the new one, and a failure leaves the old one.
    """
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as raw:
            count = _write(raw, annotations, packed=path.suffix == ".gz")
            raw.flush()
            os.fsync(raw.fileno())
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return count


def _write(raw: BinaryIO, annotations: Iterable[Annotation], *, packed: bool) -> int:
    count = 0
    # mtime=0: the same annotations make the same bytes.
    with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) if packed else nullcontext(raw) as target:
        for annotation in annotations:
            target.write(to_json(annotation).encode() + b"\n")
            count += 1
    return count


def _record(number: int, text: str) -> Record | LineError:
    if len(text) > MAX_LINE_CHARACTERS:
        return LineError(number, "", f"is longer than {MAX_LINE_CHARACTERS} characters")
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return LineError(number, "", f"is not JSON ({error.msg} at column {error.colno})")
    except (ValueError, RecursionError) as error:
        return LineError(number, "", f"is not JSON that can be read ({error})")
    if not isinstance(value, dict):
        return LineError(number, "", f"holds {type(value).__name__} where a JSON object should be")
    return cast(Record, value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _annotation(number: int, record: Record) -> Annotation | LineError:
    try:
        return Annotation.model_validate(record)
    except ValidationError as error:
        return _line_error(number, record, error)


def _line_error(number: int, record: Record, error: ValidationError) -> LineError:
    first, more = error.errors()[0], error.error_count() - 1
    location = tuple(_printable(part) for part in first["loc"])
    message = f"{_place(record, first['loc'])} {_complaint(first['type'], location, first['msg'])}"
    return LineError(number, ".".join(location), message + (f" (and {more} more)" if more else ""))


def _place(record: Record, location: tuple[int | str, ...]) -> str:
    if len(location) >= 2 and location[0] == "facts" and isinstance(location[1], int):
        return f"fact {_fact_name(record, location[1])}"
    return "the annotation" if len(location) < 2 else f"{_printable(location[0])!r}"


def _fact_name(record: Record, index: int) -> str:
    facts = record.get("facts")
    fact = cast("list[object]", facts)[index] if isinstance(facts, list) else None
    name = cast("dict[str, object]", fact).get("id") if isinstance(fact, dict) else None
    return repr(_printable(name)) if isinstance(name, str) and name else f"number {index + 1}"


def _complaint(kind: str, location: tuple[str, ...], message: str) -> str:
    if not location:
        return f"is wrong: {message}"
    if kind == "missing" or (kind == "string_too_short" and location[-1] in ("id", "text")):
        return f"has no {location[-1]}"
    if kind == "extra_forbidden":
        return f"has a field {location[-1]!r} that is not known"
    return f"has a wrong {location[-1]}: {message}"


def _printable(part: object) -> str:
    """A name from the file, short and without what could break a log line or an encoder."""
    cut = str(part)[:MAX_NAME_CHARACTERS]
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in cut)

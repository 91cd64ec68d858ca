"""Files of annotations: read in every form that `records` knows, written as JSON Lines.

A fault names its place and field, and all faults of a file are collected: a person mends them in one go.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import ValidationError

from perception_reward.annotations.faults import LineError, Record, RecordFileError, first_fault, printable
from perception_reward.annotations.figures import HEADER, Header
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.outputs import written
from perception_reward.annotations.record_json import parse_records
from perception_reward.annotations.records import TABLES, RecordFile, open_records
from perception_reward.annotations.tables import ENCODED, decoded, header_in

# Fields that are JSON in the cell of a CSV file.
NESTED = ("choices", "images", "facts", "provenance")


def parse_lines(lines: Iterable[str | bytes]) -> Iterator[Annotation | LineError]:
    """Each line's annotation, or its first fault. A blank line yields nothing, but is counted.

    An id that an earlier line has is a fault that names both lines; the first one stands.
    """
    return (found for _, found in check_records(parse_records(lines)))


def check_records(
    records: Iterable[tuple[int, Record | LineError]], unit: str = "line"
) -> Iterator[tuple[int, Annotation | LineError]]:
    """Validate records, and refuse ids that come twice."""
    seen: dict[str, int] = {}
    for place, (number, record) in enumerate(records):
        if place == 0 and is_header(record):
            continue
        found = record if isinstance(record, LineError) else _annotation(number, record)
        if isinstance(found, Annotation):
            first = seen.setdefault(found.id, number)
            if first != number:
                found = LineError(number, "id", f"the id {found.id!r} is already that of {unit} {first}")
        yield number, found


def read_annotations(path: Path) -> dict[int, Annotation]:
    """A file's annotations by place, in order. Raises `RecordFileError` with every fault, or `OSError`."""
    return read_file(open_annotations(path))


def each_annotation(path: Path) -> Iterator[Annotation]:
    """A file's annotations one after another. Raises `RecordFileError` at the first fault and where there is none, or
    `OSError`."""
    file = open_annotations(path)
    _check_columns(file)
    found = 0
    for _, one in check_records(_decoded(file), file.unit):
        if isinstance(one, LineError):
            raise RecordFileError(path, [one], file.unit)
        found += 1
        yield one
    if not found:
        raise RecordFileError(path, [LineError(0, "", "holds no annotation")], file.unit)


def open_annotations(path: Path) -> RecordFile:
    """The file, recognised. Raises `RecordFileError` for one that cannot be read, or `OSError`."""
    return open_records(path, known=tuple(Annotation.model_fields), nested=NESTED)


def read_file(file: RecordFile) -> dict[int, Annotation]:
    """The annotations of a recognised file, as `read_annotations` has them."""
    _check_columns(file)
    annotations: dict[int, Annotation] = {}
    faults: list[LineError] = []
    for place, one in check_records(_decoded(file), file.unit):
        if isinstance(one, LineError):
            faults.append(one)
        else:
            annotations[place] = one
    if faults:
        raise RecordFileError(file.path, faults, file.unit)
    return annotations


def is_header(record: Record | LineError) -> bool:
    """Whether this is no annotation but what a file says of itself, which stands first."""
    return not isinstance(record, LineError) and list(record) == [HEADER]


def read_header(file: RecordFile) -> Header:
    """What a recognised file says of itself, or nothing. Raises `RecordFileError` for a header that is none."""
    if file.form in ("Parquet", "Arrow"):
        place, found = 0, header_in(TABLES[file.form](file.path, file.known).metadata)
    else:
        place, first = next(iter(file), (0, None))
        found = first[HEADER] if first is not None and is_header(first) and not isinstance(first, LineError) else None
    try:
        return Header.model_validate(found) if found is not None else Header()
    except ValidationError as error:
        where, message = first_fault(error)
        words = f"has a header whose {where or 'form'} is wrong: {message}"
        raise RecordFileError(file.path, [LineError(place, HEADER, words)], file.unit) from None


def _decoded(file: RecordFile) -> Iterator[tuple[int, Record | LineError]]:
    """The records; of a table, with its columns of JSON under their own names."""
    encoded = set(file.columns or ()) & ENCODED.keys()
    for place, record in file:
        if encoded and not isinstance(record, LineError):
            try:
                record = decoded(record)
            except ValueError as error:
                record = LineError(place, "", f"has no JSON in its {' or '.join(sorted(encoded))} ({error})")
        yield place, record


def _check_columns(file: RecordFile) -> None:
    """A column that is not known is told once, and not for each row."""
    known = ", ".join(Annotation.model_fields)
    unknown = [
        name for name in (*(file.columns or ()), *file.left_out) if name not in (*Annotation.model_fields, *ENCODED)
    ]
    if unknown:
        faults = [
            LineError(0, name, f"has a column {printable(name)!r} that is not known; known are {known}")
            for name in unknown
        ]
        raise RecordFileError(file.path, faults, file.unit)


def to_json(annotation: Annotation) -> str:
    """One line, without its end; fields at their defaults are left out."""
    return annotation.model_dump_json(exclude_defaults=True)


def write_jsonl(
    path: Path, annotations: Iterable[Annotation], *, replace: bool = True, header: Header | None = None
) -> int:
    """Write a file whole or not at all (`outputs.written`), and return the number of annotations.

    header: what its first line says of it; an empty one is left out. The file is packed where the name ends in `.gz`.
    Raises `OutputRefused` for a file that is there, unless `replace`.
    """
    with written(path, replace=replace) as part, part.open("wb") as raw:
        return _write(raw, annotations, header or Header(), packed=path.suffix == ".gz")


def _write(raw: BinaryIO, annotations: Iterable[Annotation], header: Header, *, packed: bool) -> int:
    count = 0
    # mtime=0: the same annotations make the same bytes.
    with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) if packed else nullcontext(raw) as target:
        if header != Header():
            target.write(f'{{"{HEADER}":{header.model_dump_json(exclude_defaults=True)}}}\n'.encode())
        for annotation in annotations:
            target.write(to_json(annotation).encode() + b"\n")
            count += 1
    return count


def _annotation(number: int, record: Record) -> Annotation | LineError:
    try:
        return Annotation.model_validate(record)
    except ValidationError as error:
        return _line_error(number, record, error)


def _line_error(number: int, record: Record, error: ValidationError) -> LineError:
    first, more = error.errors()[0], error.error_count() - 1
    location = tuple(printable(part) for part in first["loc"])
    message = f"{_place(record, first['loc'])} {_complaint(first['type'], location, first['msg'])}"
    return LineError(number, ".".join(location), message + (f" (and {more} more)" if more else ""))


def _place(record: Record, location: tuple[int | str, ...]) -> str:
    if len(location) >= 2 and location[0] == "facts" and isinstance(location[1], int):
        return f"fact {_fact_name(record, location[1])}"
    return "the annotation" if len(location) < 2 else f"{printable(location[0])!r}"


def _fact_name(record: Record, index: int) -> str:
    facts = record.get("facts")
    fact = cast("list[object]", facts)[index] if isinstance(facts, list) else None
    name = cast("dict[str, object]", fact).get("id") if isinstance(fact, dict) else None
    return repr(printable(name)) if isinstance(name, str) and name else f"number {index + 1}"


def _complaint(kind: str, location: tuple[str, ...], message: str) -> str:
    if not location:
        return f"is wrong: {message}"
    if kind == "missing" or (kind == "string_too_short" and location[-1] in ("id", "text")):
        return f"has no {location[-1]}"
    if kind == "extra_forbidden":
        return f"has a field {location[-1]!r} that is not known"
    # pydantic's own words name its classes, which nobody who writes a file knows.
    message = _CLASS.sub("an object", message)
    if location[-1].isdecimal():
        return (
            f"is wrong: {message}"
            if location[0] == "facts"
            else f"has a wrong entry {int(location[-1]) + 1}: {message}"
        )
    return f"has a wrong {location[-1]}: {message}"


_CLASS = re.compile(r"a valid dictionary or instance of \w+")

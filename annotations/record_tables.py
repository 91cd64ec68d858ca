"""Records as tables: CSV row by row, Parquet batch by batch. An empty or null cell of a known column is no field."""

from __future__ import annotations

import csv
import importlib
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO, cast

from perception_reward.annotations.faults import LineError, Record, printable
from perception_reward.annotations.record_json import LONGEST

# Rows turned into Python objects at a time.
BATCH_ROWS = 1024


class NoTable(ValueError):
    """A file is not the table that it seems to be; the message says why."""


def delimiter_of(header: str, known: Collection[str], *, named: str) -> str | None:
    """What separates the cells of `header`; None for a line that is no header.

    known: names of which a header without a telling file name has to hold one. named: the end of the file's name.
    """
    if named == ".tsv":
        return "\t"
    if named == ".csv":
        return max(",;\t", key=header.count)
    for delimiter in ",;\t":
        cells = _cells(header, delimiter)
        if len(cells) > 1 and any(cell in known for cell in cells):
            return delimiter
    return None


def csv_columns(header: str, delimiter: str) -> tuple[str, ...]:
    """The names in a header. Raises `NoTable` for names that are empty or come twice."""
    cells = _cells(header, delimiter)
    if twice := [cell for place, cell in enumerate(cells) if cell in cells[:place]]:
        raise NoTable(f"names the column {printable(twice[0])!r} twice in its header" if twice[0] else _UNNAMED)
    if not all(cells):
        raise NoTable(_UNNAMED)
    return tuple(cells)


_UNNAMED = "has a column without a name in its header"


def csv_rows(
    stream: TextIO, columns: Sequence[str], delimiter: str, *, known: Collection[str], nested: Collection[str]
) -> Iterator[tuple[int, Record | LineError]]:
    """The rows behind the header, counted from 1. nested: columns whose cells are JSON."""
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    rows = csv.reader(stream, delimiter=delimiter, strict=True)
    number = -1  # the header is the first row with anything in it
    while True:
        try:
            cells = next(rows, None)
        except csv.Error as error:
            yield number + 1, LineError(number + 1, "", f"is no row of CSV ({error})")
            return
        if cells is None:
            return
        number += bool(cells)
        if cells and number:
            yield number, _row(number, columns, cells, known, nested)


def _row(
    number: int, columns: Sequence[str], cells: Sequence[str], known: Collection[str], nested: Collection[str]
) -> Record | LineError:
    if len(cells) != len(columns):
        return LineError(number, "", f"has {len(cells)} cells, and the header names {len(columns)} columns")
    record: dict[str, object] = {}
    for name, cell in zip(columns, cells, strict=True):
        if any("\udc80" <= character <= "\udcff" for character in cell if not cell.isascii()):
            return LineError(number, name, f"is not UTF-8 in its {name}; save the file as UTF-8")
        if name in nested and cell:
            try:
                record[name] = json.loads(cell)
            except (ValueError, RecursionError):
                return LineError(number, name, f"has no JSON in its {name}, such as a list in brackets")
        elif cell or name not in known:
            record[name] = cell
    return record


def _cells(header: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for row in csv.reader([header.strip("\ufeff\r\n")], delimiter=delimiter) for cell in row]
    except csv.Error:
        return []


class ParquetTable:
    """A Parquet file. columns: the names of its columns; left_out: those of bytes that nobody here knows."""

    def __init__(self, path: Path, known: Collection[str]) -> None:
        """Raises `NoTable`, and `ImportError` where pyarrow is not installed."""
        arrow, parquet = _pyarrow()
        self._path = path
        self._known = known
        try:
            with parquet.ParquetFile(path) as table:
                schema = table.schema_arrow
        except arrow.ArrowException as error:
            raise NoTable(f"is no Parquet table ({error})") from None
        self.left_out = tuple(field.name for field in schema if field.name not in known and _has_bytes(field.type))
        self.columns = tuple(name for name in schema.names if name not in self.left_out)

    def rows(self) -> Iterator[tuple[int, Record]]:
        """The rows, counted from 1. Raises `NoTable` where the file turns out to be damaged."""
        arrow, parquet = _pyarrow()
        number = 0
        try:
            with parquet.ParquetFile(self._path) as table:
                for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=list(self.columns)):
                    for row in cast("list[dict[str, object]]", batch.to_pylist()):
                        number += 1
                        yield number, self._record(row)
        except arrow.ArrowException as error:
            raise NoTable(f"cannot be read behind row {number} ({error})") from None

    def _record(self, row: Mapping[str, object]) -> Record:
        return {
            name: _present(value) if name in self._known else value
            for name, value in row.items()
            if name not in self._known or not _is_null(value)
        }


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError("reading Parquet needs pyarrow: pip install 'perception-reward[service]'") from error


def _has_bytes(kind: Any) -> bool:
    arrow, _ = _pyarrow()
    types = arrow.types
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return True
    return any(_has_bytes(kind.field(place).type) for place in range(kind.num_fields))


def _is_null(value: object) -> bool:
    """Also NaN, which pandas makes of a number that is missing."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _present(value: object) -> object:
    """Without the fields of structs that are null: a struct has all fields of its column."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {name: _present(inner) for name, inner in fields.items() if inner is not None}
    if isinstance(value, list):
        return [_present(inner) for inner in cast("list[object]", value)]
    return value

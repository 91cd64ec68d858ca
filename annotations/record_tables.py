"""Records as tables: CSV row by row, Parquet batch by batch. An empty or null cell of a known column is no field."""

from __future__ import annotations

import csv
import importlib
import json
import math
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

from perception_reward.annotations.faults import LineError, Record, printable
from perception_reward.annotations.files import AnyFile
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


class Table(Protocol):
    """A recognised table.

    columns: the names of its columns; left_out: those of bytes that nobody here knows. metadata: its own words.
    """

    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    metadata: dict[bytes, bytes] | None

    def __init__(self, path: AnyFile, known: Collection[str]) -> None:
        """Raises `NoTable`, and `ImportError` where the package that reads it is not installed."""
        ...

    def rows(self, after: int = 0) -> Iterator[tuple[int, Record]]:
        """Those behind row `after`, counted from 1. Raises `NoTable` where the file turns out to be damaged."""
        ...


class _ArrowColumns:
    """What tables have in common that pyarrow reads."""

    form: str

    def __init__(self, path: AnyFile, known: Collection[str]) -> None:
        self._path = path
        self._known = known
        try:
            schema = self._schema()
        except _damages() as error:
            raise NoTable(f"is no {self.form} table ({_of_damage(error)})") from None
        self.metadata = cast("dict[bytes, bytes] | None", schema.metadata)
        self._places = [
            place for place, field in enumerate(schema) if field.name in known or not _has_bytes(field.type)
        ]
        self.columns = tuple(schema.names[place] for place in self._places)
        self.left_out = tuple(name for name in schema.names if name not in self.columns)

    def rows(self, after: int = 0) -> Iterator[tuple[int, Record]]:
        number = 0
        try:
            for batch in self._batches():
                if number + batch.num_rows <= after:
                    number += batch.num_rows
                    continue
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    for row in cast("list[dict[str, object]]", batch.slice(start, BATCH_ROWS).to_pylist()):
                        number += 1
                        if number > after:
                            yield number, known_present(row, self._known)
        except _damages() as error:
            raise NoTable(f"cannot be read behind row {number} ({_of_damage(error)})") from None

    def _schema(self) -> Any:
        raise NotImplementedError

    def _batches(self) -> Iterator[Any]:
        raise NotImplementedError


def _damages() -> tuple[type[Exception], ...]:
    """What pyarrow brings about where a file is damaged."""
    arrow, _ = _pyarrow()
    return arrow.ArrowException, OSError, UnicodeDecodeError


def _of_damage(error: Exception) -> str:
    """What is damaged, in one line. Raises what is none: a file that the system cannot read has an error's number."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    return printable(str(error).partition("\n")[0])


class ParquetTable(_ArrowColumns):
    """A Parquet file."""

    form = "Parquet"

    def _schema(self) -> Any:
        with self._open() as table:
            return table.schema_arrow

    def _batches(self) -> Iterator[Any]:
        with self._open() as table:
            yield from table.iter_batches(batch_size=BATCH_ROWS, columns=list(self.columns))

    @contextmanager
    def _open(self) -> Generator[Any]:
        _, parquet = _pyarrow()
        with ExitStack() as stack:
            source = self._path if isinstance(self._path, Path) else stack.enter_context(self._path.open("rb"))
            yield stack.enter_context(parquet.ParquetFile(source))


class ArrowTable(_ArrowColumns):
    """A file or stream of Arrow's own format, which the `datasets` library keeps its tables in."""

    form = "Arrow"

    def _schema(self) -> Any:
        with self._open(None) as reader:
            return reader.schema

    def _batches(self) -> Iterator[Any]:
        with self._open(self._places) as reader:
            count = getattr(reader, "num_record_batches", None)
            yield from reader if count is None else map(reader.get_batch, range(count))

    @contextmanager
    def _open(self, places: list[int] | None) -> Generator[Any]:
        arrow, _ = _pyarrow()
        ipc = importlib.import_module("pyarrow.ipc")
        with self._path.open("rb") as raw:
            is_file = raw.read(6) == b"ARROW1"
            raw.seek(0)
            options = ipc.IpcReadOptions(included_fields=places)
            opened = ipc.open_file if is_file else ipc.open_stream
            with opened(arrow.PythonFile(raw, "r"), options=options) as reader:
                yield reader


class Sheet:
    """The first sheet of an Excel file: a header, and rows."""

    left_out: tuple[str, ...] = ()
    metadata: dict[bytes, bytes] | None = None

    def __init__(self, path: AnyFile, known: Collection[str]) -> None:
        self._path = path
        self._known = known
        with self._values() as values:
            self.columns = tuple(str(name) for name in next(values, ()) if name is not None)
        if not self.columns:
            raise NoTable("has no header in the first row of its first sheet")

    def rows(self, after: int = 0) -> Iterator[tuple[int, Record]]:
        with self._values() as values:
            next(values, None)
            for number, cells in enumerate(values, start=1):
                if number > after and any(cell is not None for cell in cells):
                    row = dict(zip(self.columns, cells, strict=False))
                    yield number, known_present(row, self._known)

    @staticmethod
    def _whole(values: Iterator[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
        """The rows, the header among them. Raises `NoTable`."""
        number = 0
        try:
            for cells in values:
                yield cells
                number += 1
        except Exception as error:  # as when it is opened: its cells are parsed as they are read
            raise NoTable(f"cannot be read behind row {max(number - 1, 0)} ({printable(error)})") from None

    @contextmanager
    def _values(self) -> Generator[Iterator[tuple[object, ...]]]:
        try:
            openpyxl = importlib.import_module("openpyxl")
        except ImportError as error:
            raise ImportError("reading Excel files needs openpyxl: pip install openpyxl") from error
        with self._path.open("rb") as raw:
            try:
                book = openpyxl.load_workbook(raw, read_only=True, data_only=True)
            except Exception as error:  # zip, XML and its own: whatever a damaged file brings about
                raise NoTable(f"is no Excel file that can be read ({error})") from None
            try:
                yield self._whole(book.worksheets[0].iter_rows(values_only=True))
            finally:
                book.close()


def known_present(row: Mapping[str, object], known: Collection[str]) -> Record:
    """A row of a table: a null of a known column, or of a struct in one, is a missing field."""
    return {
        name: _present(value) if name in known else value
        for name, value in row.items()
        if name not in known or not _is_null(value)
    }


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError(
            "reading Parquet and Arrow needs pyarrow: pip install 'perception-reward[service]'"
        ) from error


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

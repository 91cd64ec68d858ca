"""Files of records: whatever form a file has, its records come one after another, and memory stays flat.

    for place, record in open_records(Path("rollouts.parquet"), known=("id", "response")):
        ...                             # (1, {"id": …}), (2, LineError(…)), …

| form | place | |
|---|---|---|
| JSON Lines | line | an object a line; a line that is none is a fault, and the next one is read |
| JSON | item | an array of objects, objects one after another over several lines, or one object of objects by key |
| CSV | row | a header first; commas, semicolons or tabs; an empty cell of a known column is a missing field |
| Parquet, Arrow | row | a null of a known column is a missing field; columns of bytes are left out |
| Excel | row | the first sheet, read as CSV is |

What a file is, is seen from its content; its name is only asked whether text without any sign is CSV. Text is UTF-8,
or UTF-16 or UTF-32 with a byte order mark or recognisable zeros; gzip and zstd are unpacked. What else a file may be
is named. Arrow files are those of the `datasets` library, too.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TextIO

from perception_reward.annotations.faults import LineError, Record, RecordFileError, printable
from perception_reward.annotations.files import PACKED, AnyFile, Unpackable, damage_named, packing, unpacked
from perception_reward.annotations.record_json import (
    Constants,
    bounded_lines,
    holds_objects_by_key,
    json_values,
    keyed_values,
    parse_records,
    refuse,
)
from perception_reward.annotations.record_tables import (
    ArrowTable,
    NoTable,
    ParquetTable,
    Sheet,
    Table,
    csv_columns,
    csv_rows,
    delimiter_of,
)

Form = Literal["JSON Lines", "JSON", "JSON by key", "CSV", "Parquet", "Arrow", "Excel"]

# Bytes by which a file is recognised: the header of a table is in them.
HEAD = 65536
TABLES: dict[str, type[Table]] = {"Parquet": ParquetTable, "Arrow": ArrowTable, "Excel": Sheet}
UNREADABLE = (
    (b"PK\x03\x04", "is a zip archive (or a spreadsheet, or PyTorch's); unpack it, or save it as CSV or JSON Lines"),
    (b"\x28\xb5\x2f\xfd", "is packed twice; unpack it once"),
    (b"BZh", "is packed with bzip2; unpack it with `bunzip2`"),
    (b"\xfd7zXZ\x00", "is packed with xz; unpack it with `unxz`"),
    (b"\x80\x02", "is a Python pickle, which is not read; save it as JSON Lines or Parquet"),
    (b"\x80\x04", "is a Python pickle, which is not read; save it as JSON Lines or Parquet"),
    (b"\x80\x05", "is a Python pickle, which is not read; save it as JSON Lines or Parquet"),
    (b"SQLite format 3", "is an SQLite database; save its table as CSV"),
    (b"\x89PNG", "is an image"),
    (b"\xff\xd8\xff", "is an image"),
    (b"%PDF", "is a PDF"),
    (b"\x1f\x8b", "is packed twice; unpack it once"),
)
# Names of files whose lines are each told to be no JSON, where the first one is none.
LINES = (".jsonl", ".ndjson")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A recognised file. Each iteration reads it anew, and yields (place, record or what is wrong with it).

    columns: the names of a table's columns; None where each record has its own. left_out: columns of bytes.
    """

    path: AnyFile
    form: Form
    known: Collection[str]
    nested: Collection[str]
    constants: Constants
    columns: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str = ""

    @property
    def unit(self) -> str:
        """What `place` counts: lines, items or rows."""
        return {"JSON Lines": "line", "JSON": "item"}.get(self.form, "row")

    def __iter__(self) -> Iterator[tuple[int, Record | LineError]]:
        """Raises `RecordFileError` where the file cannot be read to its end, and `OSError`."""
        return self.records()

    def records(self, after: int = 0) -> Iterator[tuple[int, Record | LineError]]:
        """Those behind the place `after`; lines and tables are passed over without being parsed."""
        try:
            if self.form in TABLES:
                yield from TABLES[self.form](self.path, self.known).rows(after)
                return
            with damage_named(), self._text() as stream:
                for place, record in self._records(stream, after):
                    if place > after:
                        yield place, record
        except (NoTable, Unpackable) as error:
            raise _fault(self.path, str(error)) from None

    def _records(self, stream: TextIO, after: int) -> Iterator[tuple[int, Record | LineError]]:
        if self.form == "CSV":
            return csv_rows(stream, self.columns or (), self.delimiter, known=self.known, nested=self.nested)
        if self.form == "JSON":
            return json_values(stream, self.constants)
        if self.form == "JSON by key":
            return keyed_values(stream, self.constants)
        return parse_records(bounded_lines(stream), self.constants, after)

    def _text(self) -> TextIO:
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "replace"
        newline = "" if self.form == "CSV" else "\n"
        return io.TextIOWrapper(unpacked(self.path), encoding=self.encoding, errors=errors, newline=newline)


def open_records(
    path: AnyFile, *, known: Collection[str], nested: Collection[str] = (), constants: Constants = refuse
) -> RecordFile:
    """Recognise a file.

    known: the fields that the caller reads. nested: those of them that are JSON in a CSV cell. constants: what becomes
    of NaN in JSON. Raises `RecordFileError` with one line for what cannot be read, and `OSError`, as for a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        raise _fault(path, "is no regular file, and it is read more than once; save it to a file first")
    try:
        with damage_named(), unpacked(path) as raw:
            head = raw.read(HEAD)
        return _recognised(path, head, RecordFile(path, "JSON Lines", known, nested, constants))
    except (NoTable, Unpackable) as error:
        raise _fault(path, str(error)) from None


def _recognised(path: AnyFile, head: bytes, file: RecordFile) -> RecordFile:
    if (form := _table_form(path, head)) is not None:
        if how := packing(path):
            raise NoTable(f"is {form} packed with {how}; unpack it with `{'gunzip' if how == 'gzip' else 'zstd -d'}`")
        table = TABLES[form](path, file.known)
        return replace(file, form=form, columns=table.columns, left_out=table.left_out)
    if (why := next((why for magic, why in UNREADABLE if head.startswith(magic)), None)) is not None:
        raise NoTable(why)
    encoding = _encoding(head)
    text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    file = replace(file, encoding=encoding)
    first, _, rest = text.replace("\r", "\n").partition("\n")
    first = first.strip()
    lines_of_objects = first.endswith("}") and rest.lstrip().startswith("{")
    if not lines_of_objects and holds_objects_by_key(text):
        return replace(file, form="JSON by key")
    if text.startswith("[") or (text.startswith("{") and rest and first.endswith(("{", "[", ",", ":"))):
        return replace(file, form="JSON")
    if text.startswith("{") or not text:
        return file
    named = path.with_suffix("").suffix if path.suffix.lower() in PACKED else path.suffix
    if (delimiter := delimiter_of(first, file.known, named=named.lower())) is not None:
        return replace(file, form="CSV", delimiter=delimiter, columns=csv_columns(first, delimiter))
    if named.lower() in LINES:
        return file
    raise NoTable(f"is not JSON Lines, a JSON array, CSV or Parquet; it begins with {printable(first)[:40]!r}")


def _encoding(head: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if b"\x00" not in head:
        return "utf-8"
    # The records' punctuation is ASCII, so that UTF-16 has a zero in every other byte of its beginning.
    if head[1:4:2] == b"\x00\x00" and head[:1] != b"\x00":
        return "utf-16-le"
    if head[:4:2] == b"\x00\x00" and head[1:2] != b"\x00":
        return "utf-16-be"
    raise NoTable("is no text (it holds bytes of 0), and no Parquet")


def _table_form(path: AnyFile, head: bytes) -> Form | None:
    if head.startswith(b"PAR1"):
        return "Parquet"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "Arrow"
    return "Excel" if head.startswith(b"PK\x03\x04") and path.suffix.lower() == ".xlsx" else None


def _fault(path: AnyFile, message: str) -> RecordFileError:
    return RecordFileError(path, [LineError(0, "", message)])

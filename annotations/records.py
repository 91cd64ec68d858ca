"""Files of records: whatever form a file has, its records come one after another, and memory stays flat.

    for place, record in open_records(Path("rollouts.parquet"), known=("id", "response")):
        ...                             # (1, {"id": …}), (2, LineError(…)), …

| form | place | |
|---|---|---|
| JSON Lines | line | an object a line; a line that is none is a fault, and the next one is read |
| JSON | item | an array of objects, or objects one after another, over several lines |
| CSV | row | a header first; commas, semicolons or tabs; an empty cell of a known column is a missing field |
| Parquet | row | a null of a known column is a missing field; columns of bytes are left out |

What a file is, is seen from its content; its name is only asked whether text without any sign is CSV. Text is UTF-8,
or UTF-16 or UTF-32 with a byte order mark or recognisable zeros; gzip is unpacked. What else a file may be is named.
"""

from __future__ import annotations

import codecs
import errno
import gzip
import io
import os
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal, TextIO, cast

from perception_reward.annotations.faults import LineError, Record, RecordFileError, printable
from perception_reward.annotations.record_json import Constants, bounded_lines, json_values, parse_records, refuse
from perception_reward.annotations.record_tables import NoTable, ParquetTable, csv_columns, csv_rows, delimiter_of

Form = Literal["JSON Lines", "JSON", "CSV", "Parquet"]

# Bytes by which a file is recognised: the header of a table is in them.
HEAD = 65536
GZIP = b"\x1f\x8b"
UNREADABLE = (
    (b"PK\x03\x04", "is a zip archive (or a spreadsheet, or PyTorch's); unpack it, or save it as CSV or JSON Lines"),
    (b"\x28\xb5\x2f\xfd", "is packed with zstd; unpack it with `zstd -d`"),
    (b"BZh", "is packed with bzip2; unpack it with `bunzip2`"),
    (b"\xfd7zXZ\x00", "is packed with xz; unpack it with `unxz`"),
    (b"ARROW1", "is an Arrow file; save it as Parquet"),
    (b"\xff\xff\xff\xff", "is an Arrow stream; save it as Parquet"),
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

    path: Path
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
        try:
            if self.form == "Parquet":
                yield from ParquetTable(self.path, self.known).rows()
                return
            with self._text() as stream:
                yield from self._records(stream)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise _fault(self.path, f"is no complete gzip file ({error})") from None
        except NoTable as error:
            raise _fault(self.path, str(error)) from None

    def _records(self, stream: TextIO) -> Iterator[tuple[int, Record | LineError]]:
        if self.form == "CSV":
            return csv_rows(stream, self.columns or (), self.delimiter, known=self.known, nested=self.nested)
        if self.form == "JSON":
            return json_values(stream, self.constants)
        return parse_records(bounded_lines(stream), self.constants)

    def _text(self) -> TextIO:
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "replace"
        newline = "" if self.form == "CSV" else "\n"
        return io.TextIOWrapper(_unpacked(self.path), encoding=self.encoding, errors=errors, newline=newline)


def open_records(
    path: Path, *, known: Collection[str], nested: Collection[str] = (), constants: Constants = refuse
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
        with _unpacked(path) as raw:
            head = raw.read(HEAD)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _fault(path, f"is no complete gzip file ({error})") from None
    try:
        return _recognised(path, head, RecordFile(path, "JSON Lines", known, nested, constants))
    except NoTable as error:
        raise _fault(path, str(error)) from None


def _recognised(path: Path, head: bytes, file: RecordFile) -> RecordFile:
    if head.startswith(b"PAR1"):
        if _is_packed(path):
            raise NoTable("is Parquet packed with gzip; unpack it with `gunzip`")
        table = ParquetTable(path, file.known)
        return replace(file, form="Parquet", columns=table.columns, left_out=table.left_out)
    if (why := next((why for magic, why in UNREADABLE if head.startswith(magic)), None)) is not None:
        raise NoTable(why)
    encoding = _encoding(head)
    text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    file = replace(file, encoding=encoding)
    first, _, rest = text.replace("\r", "\n").partition("\n")
    first = first.strip()
    if text.startswith("[") or (text.startswith("{") and rest and first.endswith(("{", "[", ",", ":"))):
        return replace(file, form="JSON")
    if text.startswith("{") or not text:
        return file
    named = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
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


def _is_packed(path: Path) -> bool:
    with path.open("rb") as raw:
        return raw.read(2) == GZIP


def _unpacked(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if _is_packed(path) else path.open("rb")


def _fault(path: Path, message: str) -> RecordFileError:
    return RecordFileError(path, [LineError(0, "", message)])

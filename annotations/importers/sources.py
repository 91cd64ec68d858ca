"""Where an importer's rows come from: a file of records, a folder of files, or one JSON document with lists in it.

A folder is read file by file in the order of the names, and a row of it has the file's name without its end as `id`,
where it has none of its own. In every case one row is in memory at a time.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from perception_reward.annotations.faults import LineError, Record, RecordFileError
from perception_reward.annotations.importers.model import Options, Row, Rows
from perception_reward.annotations.record_json import json_members
from perception_reward.annotations.records import open_records

# Bytes of a file that is read whole: one table, one screen.
LARGEST = 64 << 20


def records(*columns: str, nested: Sequence[str] = (), lists: Sequence[str] = ()) -> Rows:
    """Rows of JSON Lines, JSON, CSV or Parquet, of a file or of every file of a folder.

    columns: the names that the importer knows. nested: those that are JSON in a CSV cell. lists: names under which one
    JSON document may hold its rows, as a list or by their ids.
    """

    def rows(source: Path, options: Options) -> Iterator[Row]:
        renamed = {theirs: ours for ours, theirs in options.columns.items()}
        known = [options.columns.get(name, name) for name in columns]
        inner = [options.columns.get(name, name) for name in nested]
        for path in files_of(source, (".json", ".jsonl", ".csv", ".tsv", ".parquet", ".gz")):
            place = f"{path.name} " if source.is_dir() else ""
            for where, record in _rows(path, known, inner, lists):
                yield (
                    f"{place}{where}",
                    record if isinstance(record, LineError) else _named(record, renamed, path, where),
                )

    return rows


def whole_files(read: Callable[[str], Record], *ends: str) -> Rows:
    """A row for each file: `read` makes it of the text, or raises `ValueError` with what is wrong with it."""

    def rows(source: Path, options: Options) -> Iterator[Row]:
        for path in files_of(source, ends):
            try:
                yield path.name, {"id": path.stem, **read(_text(path))}
            except ValueError as error:
                yield path.name, LineError(0, "", str(error))

    return rows


def files_of(source: Path, ends: Sequence[str]) -> list[Path]:
    """`source`, or the files in it with one of the `ends`. Raises `FileNotFoundError` for a folder without any."""
    if not source.is_dir():
        return [source]
    found = sorted(
        (path for path in source.rglob("*") if path.suffix.lower() in ends and path.is_file()), key=_by_number
    )
    if not found:
        raise FileNotFoundError(f"{source} holds no file that ends in {', '.join(ends)}")
    return found


def table(content: str) -> list[list[str]]:
    """The cells of CSV. Raises `ValueError`."""
    try:
        return [row for row in csv.reader(content.splitlines(), strict=True) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ValueError(f"is no CSV ({error})") from None


def _rows(
    path: Path, known: Sequence[str], nested: Sequence[str], lists: Sequence[str]
) -> Iterator[tuple[str, Record | LineError]]:
    if lists and _is_document(path, lists):
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as stream:
                for place, (_, key, value) in enumerate(json_members(stream, lists), start=1):
                    yield f"row {place}", _object({"id": key} if key else {}, value)
        except (ValueError, RecursionError) as error:
            raise unreadable(path, str(error)) from None
        return
    file = open_records(path, known=known, nested=nested)
    for number, record in file:
        yield f"{file.unit} {number}", replace(record, line=0) if isinstance(record, LineError) else record


def _object(known: dict[str, object], value: object) -> Record | LineError:
    if isinstance(value, dict):
        return {**known, **cast("dict[str, Any]", value)}
    return LineError(0, "", "is no object")


def _is_document(path: Path, lists: Sequence[str]) -> bool:
    with path.open("rb") as raw:
        head = raw.read(1 << 16).lstrip(b"\xef\xbb\xbf \t\r\n")
    names = "|".join(map(re.escape, lists))
    return head.startswith(b"{") and re.search(rf'"(?:{names})"\s*:\s*[\[{{]'.encode(), head) is not None


def _named(record: Record, renamed: dict[str, str], path: Path, where: str) -> Record:
    """The record by the importer's names, with the file and the number of the row where it has none of its own."""
    named = {renamed.get(name, name): value for name, value in record.items()}
    return {"file": path.stem, "row": where.rpartition(" ")[2], **named}


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise ValueError(f"is larger than {LARGEST} bytes")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 (byte {error.start + 1})") from None


def _by_number(path: Path) -> tuple[str, int, str]:
    """`2.json` before `10.json`."""
    digits = re.fullmatch(r"\d{1,18}", path.stem)
    return str(path.parent), int(path.stem) if digits else -1, path.name


def unreadable(source: Path, message: str) -> RecordFileError:
    return RecordFileError(source, [LineError(0, "", message)])

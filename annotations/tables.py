"""Annotations as Parquet: one row each, columns named as the annotation's fields.

`facts` is a list of structs. Columns may be missing, and a null means that a row, or a fact, lacks the
field. Dictionary-encoded and large strings are fine. Rows are counted from 1. pyarrow is imported when a
table is read.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from perception_reward.annotations.jsonl import AnnotationFileError, LineError, Record, check_records, collect
from perception_reward.annotations.model import Annotation

# Rows turned into Python objects at a time.
BATCH_ROWS = 1024


def read_parquet(path: Path) -> dict[int, Annotation]:
    """A table's annotations by row, in order. Raises `AnnotationFileError` with every fault, or `OSError`."""
    arrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as table:
            _check_columns(path, table.schema_arrow.names)
            return collect(path, check_records(_records(table), unit="row"), unit="row")
    except arrow.ArrowInvalid as error:
        raise AnnotationFileError(path, [LineError(1, "", f"is no Parquet table ({error})")], "row") from None


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError("reading Parquet needs pyarrow: pip install 'perception-reward[service]'") from error


def _check_columns(path: Path, names: list[str]) -> None:
    known = Annotation.model_fields
    faults = [
        LineError(1, name, f"the column {name!r} is not known; known are {', '.join(known)}")
        for name in names
        if name not in known
    ]
    if faults:
        raise AnnotationFileError(path, faults, "row")


def _records(table: Any) -> Iterator[tuple[int, Record]]:
    number = 0
    for batch in table.iter_batches(batch_size=BATCH_ROWS):
        for row in cast("list[dict[str, object]]", batch.to_pylist()):
            number += 1
            yield number, _without_nulls(row)


def _without_nulls(row: dict[str, object]) -> Record:
    record = {name: value for name, value in row.items() if value is not None}
    facts = record.get("facts")
    if isinstance(facts, list):
        record["facts"] = [_struct(fact) for fact in cast("list[object]", facts)]
    if "provenance" in record:
        record["provenance"] = _struct(record["provenance"])
    return record


def _struct(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: inner for name, inner in cast("dict[str, object]", value).items() if inner is not None}

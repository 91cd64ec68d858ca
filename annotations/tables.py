"""Annotations as Arrow tables: Parquet files, and the folders that the `datasets` library keeps (`load_from_disk`).

    write_parquet(Path("a.parquet"), annotations, header)
    write_dataset(Path("a"), annotations, header)           # a/data-00000-of-00001.arrow, state.json, dataset_info.json

Both are read back as they were, version and header included. Columns are the fields of an annotation. An answer is text
where all of them are, and options are a list where all of them are; else the column is JSON, and named `answer_json` or
`choices_json`.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from perception_reward.annotations.faults import Record
from perception_reward.annotations.figures import Header
from perception_reward.annotations.model import Annotation, Provenance
from perception_reward.annotations.outputs import OutputRefused, written
from perception_reward.annotations.version import Version
from perception_reward.trainer_client.wire import Fact

# Fields that may be of several types, and the columns that hold them as JSON.
ENCODED = {"answer_json": "answer", "choices_json": "choices"}
# The schema's metadata, under this key, is the header.
METADATA = b"perception-reward"
STATE, INFO, DATA = "state.json", "dataset_info.json", "data-00000-of-00001.arrow"
BATCH_ROWS = 1000


def write_parquet(path: Path, annotations: Sequence[Annotation], header: Header, *, replace: bool = True) -> None:
    """Write a Parquet file whole or not at all. Raises `OutputRefused`, and `ImportError` without pyarrow."""
    arrow, schema = _schema(annotations, header)
    parquet: Any = importlib.import_module("pyarrow.parquet")
    with written(path, replace=replace) as part, parquet.ParquetWriter(part, schema) as writer:
        for batch in _batches(annotations, schema.names):
            writer.write_table(arrow.Table.from_pylist(batch, schema=schema))


def write_dataset(folder: Path, annotations: Sequence[Annotation], header: Header, *, replace: bool = True) -> None:
    """Write a folder for `datasets.load_from_disk`, whole or not at all.

    Raises `OutputRefused` for a folder that is there, unless `replace`, and always for one that is no such folder.
    """
    folder = folder.resolve()
    if folder.exists() and not (replace and (folder / STATE).is_file()):
        why = "pass --force to replace it" if (folder / STATE).is_file() else "it is no folder of the datasets library"
        raise OutputRefused(f"{folder} exists; name another one: {why}")
    arrow, schema = _schema(annotations, header)
    ipc: Any = importlib.import_module("pyarrow.ipc")
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    part.mkdir()
    try:
        with ipc.new_stream(str(part / DATA), schema) as writer:
            for batch in _batches(annotations, schema.names):
                writer.write_table(arrow.Table.from_pylist(batch, schema=schema))
        _write_json(part / STATE, _state(annotations))
        _write_json(part / INFO, {"citation": "", "description": "", "homepage": "", "license": ""})
        _take_name(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def data_files(path: Path) -> list[Path]:
    """`path`, or the files that a folder of the `datasets` library names. Raises `ValueError` for a damaged one."""
    state = path / STATE
    if not path.is_dir() or not state.is_file():
        return [path]
    try:
        found: Any = json.loads(state.read_bytes())
        names = [str(entry["filename"]) for entry in found["_data_files"]]
    except (ValueError, TypeError, LookupError):
        raise ValueError(f"{state} does not say which files hold the data") from None
    if any(Path(name).name != name for name in names):
        raise ValueError(f"{state} names a file outside its folder")
    return [path / name for name in names]


def decoded(record: Record) -> Record:
    """A row with its columns of JSON under their own names. Raises `ValueError` for what is none."""
    plain = {name: value for name, value in record.items() if name not in ENCODED}
    encoded = {ENCODED[name]: json.loads(str(value)) for name, value in record.items() if name in ENCODED and value}
    return {**plain, **encoded}


def header_in(metadata: dict[bytes, bytes] | None) -> object:
    """The header in a schema's metadata, as JSON; None where there is none."""
    found = (metadata or {}).get(METADATA)
    return json.loads(found) if found is not None else None


def _schema(annotations: Sequence[Annotation], header: Header) -> tuple[Any, Any]:
    try:
        arrow: Any = importlib.import_module("pyarrow")
    except ImportError as error:
        raise ImportError(
            "writing Parquet and Arrow needs pyarrow: pip install 'perception-reward[service]'"
        ) from error
    text = arrow.string()
    plain_answers = all(isinstance(one.answer, str | None) for one in annotations)
    plain_choices = all(isinstance(one.choices, list | None) for one in annotations)
    numbers = arrow.list_(arrow.float64())
    others = {
        "weight": arrow.float64(),
        "confidence": arrow.float64(),
        "page": arrow.int64(),
        "at": numbers,
        "region": numbers,
    }
    fact = [(name, others.get(name, text)) for name in Fact.model_fields]
    columns = [
        ("id", text),
        ("question", text),
        ("answer", text) if plain_answers else ("answer_json", text),
        ("choices", arrow.list_(text)) if plain_choices else ("choices_json", text),
        ("images", arrow.list_(text)),
        ("facts", arrow.list_(arrow.struct(fact))),
        ("provenance", arrow.struct([(name, text) for name in Provenance.model_fields])),
    ]
    metadata = {METADATA: header.model_dump_json(exclude_defaults=True)}
    return arrow, arrow.schema(columns, metadata=metadata)


def _batches(annotations: Iterable[Annotation], columns: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for annotation in annotations:
        batch.append(_row(annotation, columns))
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _row(annotation: Annotation, columns: Sequence[str]) -> dict[str, Any]:
    row = annotation.model_dump()
    for column, name in ENCODED.items():
        if column in columns:
            value = row.pop(name)
            row[column] = None if value is None else json.dumps(value, ensure_ascii=False)
    return row


def _state(annotations: Sequence[Annotation]) -> dict[str, Any]:
    return {
        "_data_files": [{"filename": DATA}],
        "_fingerprint": str(Version.of(annotations)),
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")


def _take_name(part: Path, folder: Path) -> None:
    """The folder that was there goes only when the new one is whole."""
    if not folder.exists():
        part.rename(folder)
        return
    old = folder.with_name(f"{part.name}.old")
    folder.rename(old)
    try:
        part.rename(folder)
    except OSError:
        os.rename(old, folder)
        raise
    shutil.rmtree(old)

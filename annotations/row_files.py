"""Rows written to a file that a trainer reads: JSON Lines, or Parquet with the images in it. Whole or not at all."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.outputs import written
from perception_reward.annotations.rows import Incomplete, Layout, Picture, Problem, Row, problem_of

# Rows in memory at a time: their images may be megabytes each.
BATCH_ROWS = 64


def problems_of(
    annotations: Iterable[Annotation],
    *,
    root: Path | None,
    embed: bool,
    system: str,
    start: Path | None = None,
    text_only: bool = False,
) -> Iterator[Problem | Incomplete]:
    """Each annotation's problem, or what it lacks.

    root: the folder that relative references are below; a file that is not there is told. None: references stay.
    embed: put the images' bytes into the rows. start: the folder that paths in the rows start from; None: they are
    absolute. text_only: without images.
    """
    for annotation in annotations:
        references = () if text_only else annotation.images
        try:
            pictures = [_picture(annotation.id, reference, root, embed, start) for reference in references]
            yield problem_of(annotation, pictures, system, text_only=text_only)
        except Incomplete as error:
            yield error


def _picture(annotation_id: str, reference: str, root: Path | None, embed: bool, start: Path | None) -> Picture:
    picture = Picture(reference)
    if picture.is_url:
        if embed:
            raise Incomplete(
                f"annotation {annotation_id!r}: {reference[:80]} is a URL, which is not fetched to embed it",
                "image file",
            )
        return picture
    path = (root / reference).resolve() if root is not None else Path(reference)
    try:
        content = path.read_bytes() if embed else None
    except OSError as error:
        raise Incomplete(
            f"annotation {annotation_id!r}: {path} cannot be read ({error.strerror})", "image file"
        ) from None
    if root is not None and not path.is_file():
        raise Incomplete(f"annotation {annotation_id!r}: there is no {path}", "image file")
    named = os.path.relpath(path, start.resolve()) if root is not None and start is not None else str(path)
    return Picture(Path(named).as_posix(), content, path)


def write_rows(
    path: Path, layout: Layout, problems: Sequence[Problem] | Iterator[Problem], *, replace: bool = True
) -> int:
    """Write the rows of `problems` as `layout` has them, whole or not at all, and return their number.

    Raises `OutputRefused` for a file that is there, unless `replace`.
    """
    rows = (layout.row(problem, index) for index, problem in enumerate(problems))
    with written(path, replace=replace) as part:
        return _write_parquet(part, rows) if layout.form == "parquet" else _write_jsonl(part, rows)


def _write_jsonl(path: Path, rows: Iterator[Row]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def _write_parquet(path: Path, rows: Iterator[Row]) -> int:
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError("writing Parquet needs pyarrow: pip install 'perception-reward[service]'") from error
    first = next(rows, None)
    if first is None:
        raise ValueError("there is no row to write")
    count, schema = 0, _schema(arrow, first)
    rows = chain([first], rows)
    with parquet.ParquetWriter(path, schema) as writer:
        while batch := list(islice(rows, BATCH_ROWS)):
            writer.write_table(arrow.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _schema(arrow: Any, row: Row) -> Any:
    """The columns' types by one row: all rows of a layout are alike, and a null tells nothing."""
    schema = arrow.schema([(name, _type(arrow, value)) for name, value in row.items()])
    images = row["images"][0] if "images" in row else None
    if isinstance(images, dict) and "path" in images:
        # How the `datasets` library marks images, so that it hands them to a trainer decoded.
        features = {name: _feature(name, value) for name, value in row.items()}
        schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    return schema


def _type(arrow: Any, value: object) -> Any:
    if isinstance(value, list):
        return arrow.list_(_type(arrow, cast("list[object]", value)[0]))
    if isinstance(value, dict):
        fields = cast("Row", value)
        if "bytes" in fields:
            return arrow.struct([(name, arrow.binary() if name == "bytes" else arrow.string()) for name in fields])
        return arrow.struct([(name, _type(arrow, inner)) for name, inner in fields.items()])
    return arrow.int64() if isinstance(value, int) else arrow.string()


def _feature(name: str, value: object) -> Any:
    text = {"dtype": "string", "_type": "Value"}
    if name == "images":
        return [{"_type": "Image"}]
    return [dict.fromkeys(cast("list[Row]", value)[0], text)] if isinstance(value, list) else text

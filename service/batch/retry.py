"""Missing rows asked again: the side table is scored as any file of rollouts is, and what comes of it takes its places.

    merge(Path("results.jsonl"), Path("results.jsonl.retry.jsonl"))

Results are addressed by their line, so that a merge that was killed is simply done again.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from perception_reward.annotations.files import unpacked
from perception_reward.annotations.outputs import written
from perception_reward.service.batch.outputs import MOST_BYTES, missing_of, packer
from perception_reward.service.batch.results import ResultLine, read_results, row_of_line, text_of_line

# Rows of a table that are looked at together.
ROWS = 4096


def retry_of(out: Path) -> Path:
    """Where the results of a second try stand until they are merged."""
    return out.with_name(out.name + ".retry.jsonl")


def merge(out: Path, retried: Path) -> int:
    """Put the results of a second try in the places of the first; how many of them have a score now.

    Rows that are missing still, or could not be read at all, stay in the side table. Raises `OSError`.
    """
    with closing(_pairs(out, retried)) as pairs:
        _replace_in(out, pairs)
    scored = _write_side(out, retried)
    for path in (retried, missing_of(retried)):
        path.unlink(missing_ok=True)
    return scored


def judge_of(out: Path) -> str | None:
    """Who was asked for the missing rows; None where none is missing but what cannot be read."""
    return next((row.get("judge") for row in _side(out) if row["line"] is not None), None)


def _side(out: Path) -> Iterator[dict[str, Any]]:
    with missing_of(out).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _asked(out: Path) -> Iterator[dict[str, Any]]:
    return (row for row in _side(out) if row["line"] is not None)


def _pairs(out: Path, retried: Path) -> Generator[tuple[int, ResultLine]]:
    """The line of each row that was asked again, and its result, with what the first one was written with."""
    for row, result in zip(_asked(out), read_results(retried), strict=True):
        beside = {"group": row["group"], "step": row["step"], "extra": row["extra"]}
        yield row["line"], result.model_copy(update=beside)


def _replace_in(out: Path, pairs: Iterator[tuple[int, ResultLine]]) -> None:
    if out.suffix == ".parquet":
        _replace_rows(out, pairs)
    else:
        _replace_lines(out, pairs)


def _replace_lines(out: Path, pairs: Iterator[tuple[int, ResultLine]]) -> None:
    pack = packer(out)
    at, result = next(pairs, (-1, None))
    with unpacked(out) as lines, written(out, replace=True) as part, part.open("wb") as whole:
        waiting, size = list[bytes](), 0
        for number, line in enumerate(lines):
            if number == at and result is not None:
                line = text_of_line(result).encode()
                at, result = next(pairs, (-1, None))
            waiting.append(line)
            size += len(line)
            if size > MOST_BYTES:
                whole.write(pack(b"".join(waiting)))
                waiting, size = [], 0
        whole.write(pack(b"".join(waiting)))


def _replace_rows(out: Path, pairs: Iterator[tuple[int, ResultLine]]) -> None:
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    at, result = next(pairs, (-1, None))
    number = 0
    with (
        parquet.ParquetFile(out) as table,
        written(out, replace=True) as part,
        parquet.ParquetWriter(part, table.schema_arrow, compression="zstd") as whole,
    ):
        for batch in table.iter_batches(batch_size=ROWS):
            if number <= at < number + batch.num_rows:
                rows = batch.to_pylist()
                while result is not None and at < number + batch.num_rows:
                    rows[at - number] = row_of_line(result)
                    at, result = next(pairs, (-1, None))
                batch = arrow.RecordBatch.from_pylist(rows, table.schema_arrow)
            whole.write_batch(batch)
            number += batch.num_rows


def _write_side(out: Path, retried: Path) -> int:
    scored = kept = 0
    results = read_results(retried)
    with written(missing_of(out), replace=True) as part, part.open("w", encoding="utf-8") as side:
        for row in _side(out):
            if row["line"] is not None:
                result = next(results)
                if result.status == "ok":
                    scored += 1
                    continue
                row["reason"] = result.reason
            kept += 1
            side.write(json.dumps(row) + "\n")
    if not kept:
        missing_of(out).unlink()
    return scored

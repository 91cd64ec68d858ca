"""Files of results: JSON Lines or Parquet, a result of `POST /v1/score` a row, with what its rollout was carried along
with.

| beside the fields of a result | |
|---|---|
| `group` | what the rollouts of one prompt share: named by the file, or made of its prompt |
| `step` | the training step, where the file or `--step` names one |
| `explained` | with `--explain`: the response as it was scored, the reference, each fact's text, and its words |
| `extra` | the columns of the rollout that a reward does not need |

In Parquet `explained` and `extra` are JSON in text, because no two files have the same columns.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from pydantic import Field, JsonValue, ValidationError, field_validator

from perception_reward.annotations.faults import LineError, RecordFileError, first_fault
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.records import open_records
from perception_reward.service.batch.rollouts import Rollout
from perception_reward.service.scoring.responses import response_text
from perception_reward.trainer_client.missing import COMPONENTS
from perception_reward.trainer_client.wire import ItemResult

Explanation: TypeAlias = dict[str, object]


class ResultLine(ItemResult):
    """A row of the file."""

    group: str | None = Field(default=None, description="What the rollouts of one prompt share.")
    step: int | None = Field(default=None, description="Training step.")
    explained: dict[str, JsonValue] | None = Field(default=None, description="With `--explain`: text and words.")
    extra: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue], description="The fields of the rollout that a reward does not need."
    )

    @field_validator("explained", "extra", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value


def to_line(result: ItemResult, extra: Mapping[str, object], **beside: object) -> str:
    """One line with its end. What is None or empty is left out; what is no JSON becomes text, or null."""
    line = result.model_dump_json()
    more = {name: value for name, value in {**beside, "extra": dict(extra)}.items() if value not in (None, {})}
    return (f"{line[:-1]},{_json(more)[1:]}" if more else line) + "\n"


def line_of(rollout: Rollout, result: ItemResult, step: int | None, explained: Explanation | None = None) -> str:
    """The line of a rollout. step: over its own, where it is not None. Traces stand in `explained` alone."""
    return to_line(_untraced(result), rollout.extra, **_beside(rollout, step), explained=explained)


def row_of(
    rollout: Rollout, result: ItemResult, step: int | None, explained: Explanation | None = None
) -> dict[str, Any]:
    """The same as a row of a table with the columns of `table_schema`."""
    row = {**_untraced(result).model_dump(), **_beside(rollout, step)}
    row["explained"] = None if explained is None else _json(explained)
    row["extra"] = _json(rollout.extra) if rollout.extra else None
    return row


def _untraced(result: ItemResult) -> ItemResult:
    if not any(fact.trace for fact in result.facts or ()):
        return result
    facts = [fact.model_copy(update={"trace": None}) for fact in result.facts or ()]
    return result.model_copy(update={"facts": facts})


def text_of_line(line: ResultLine) -> str:
    """A row of a file as the line that it was."""
    result = ItemResult.model_validate({name: getattr(line, name) for name in ItemResult.model_fields})
    return to_line(result, line.extra, group=line.group, step=line.step, explained=line.explained)


def row_of_line(line: ResultLine) -> dict[str, Any]:
    """The same as a row of a table."""
    row = line.model_dump()
    return {**row, **{name: _json(row[name]) if row[name] else None for name in ("explained", "extra")}}


def _beside(rollout: Rollout, step: int | None) -> dict[str, object]:
    return {"group": rollout.group, "step": rollout.step if step is None else step}


def explanation(rollout: Rollout, result: ItemResult, annotation: Annotation | None = None) -> Explanation:
    """What a reader needs beside the verdicts: the response, and of each fact its text, the words, and why.

    annotation: the one that the rollout names, where it can be read.
    """
    item, text = rollout.item, response_text(rollout.item.response)
    told = {fact.id: fact.text for fact in item.facts or (annotation.facts if annotation else ())}
    facts = [
        {
            "id": fact.id,
            "text": told.get(fact.id),
            "verdict": fact.verdict,
            "words": text[slice(*fact.span)] if fact.span else None,
            **({"trace": fact.trace.model_dump()} if fact.trace else {}),
        }
        for fact in result.facts or ()
    ]
    answer = item.answer if item.answer is not None or annotation is None else annotation.answer
    return {"response": text, "answer": answer, "annotation_id": item.annotation_id, "facts": facts}


def table_schema(rows: Iterable[Mapping[str, Any]] = ()) -> Any:
    """Of a table of rows that `row_of` made: it has the packaged profiles' components, and those that the rows have."""
    pa: Any = importlib.import_module("pyarrow")
    text, number = pa.string(), pa.float64()
    components = dict.fromkeys((*COMPONENTS, *(name for row in rows for name in row["components"])))
    fact = [("id", text), ("verdict", text), ("probability", number), ("span", pa.list_(pa.int64()))]
    return pa.schema(
        [
            ("id", text),
            ("status", text),
            ("score", number),
            ("components", pa.struct([(name, number) for name in components])),
            ("facts", pa.list_(pa.struct(fact))),
            ("reason", text),
            ("truncated", pa.bool_()),
            ("group", text),
            ("step", pa.int64()),
            ("explained", text),
            ("extra", text),
        ]
    )


def packed_rows(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as a stream of Arrow, to be written elsewhere."""
    pa: Any = importlib.import_module("pyarrow")
    out = pa.BufferOutputStream()
    schema = table_schema(rows)
    with pa.ipc.new_stream(out, schema) as writer:
        writer.write_table(pa.Table.from_pylist(list(rows), schema))
    return out.getvalue().to_pybytes()


def read_results(path: Path) -> Iterator[ResultLine]:
    """The results in a file, or in a folder of tables as Ray writes it.

    Raises `RecordFileError` for the first row that is none, and `OSError`.
    """
    if path.is_dir():
        for file in sorted(path.glob("*.parquet")):
            yield from read_results(file)
        return
    # No column is `known`, so that a table's nulls stay what they are.
    file = open_records(path, known=())
    for place, record in file:
        if isinstance(record, LineError):
            raise RecordFileError(path, [record], file.unit)
        if file.columns is not None:
            # Ray's tables have the column of their ids besides.
            fields = {name: value for name, value in record.items() if name in ResultLine.model_fields}
            record = {name: value for name, value in fields.items() if value is not None or name not in _OPTIONAL}
        try:
            yield ResultLine.model_validate(record)
        except ValidationError as error:
            field, message = first_fault(error)
            message = f"is no result of `perception-reward score`: {field}: {message}"
            raise RecordFileError(path, [LineError(place, field, message)], file.unit) from None


_OPTIONAL = ("group", "step", "explained", "extra")


def _json(extra: Mapping[str, object]) -> str:
    try:
        return json.dumps(extra, allow_nan=False, default=str, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(extra), allow_nan=False, default=str, separators=(",", ":"))


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in cast("list[object]", value)]
    return value

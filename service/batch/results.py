"""A file of results: JSON Lines, a result of `POST /v1/score` a line, with what its rollout was carried along with."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from pydantic import Field, JsonValue, ValidationError

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.annotations.records import open_records
from perception_reward.service.places import where
from perception_reward.trainer_client.wire import ItemResult


class ResultLine(ItemResult):
    """A line of the file."""

    extra: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue], description="The fields of the rollout that a reward does not need."
    )


def to_line(result: ItemResult, extra: Mapping[str, object]) -> str:
    """One line with its end. Without other fields there is no `extra`; what is no JSON becomes text, or null."""
    line = result.model_dump_json()
    return (f'{line[:-1]},"extra":{_json(extra)}}}' if extra else line) + "\n"


def read_results(path: Path) -> Iterator[ItemResult]:
    """The results in a file. Raises `RecordFileError` for the first line that is none, and `OSError`."""
    file = open_records(path, known=tuple(ResultLine.model_fields))
    for place, record in file:
        if isinstance(record, LineError):
            raise RecordFileError(path, [record], file.unit)
        try:
            yield ResultLine.model_validate(record)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            message = f"is no result of `perception-reward score`: {where(first['loc'])}: {first['msg']}"
            raise RecordFileError(path, [LineError(place, where(first["loc"]), message)], file.unit) from None


def _json(extra: Mapping[str, object]) -> str:
    try:
        return json.dumps(extra, allow_nan=False, default=str)
    except ValueError:
        return json.dumps(_finite(extra), allow_nan=False, default=str)


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in cast("list[object]", value)]
    return value

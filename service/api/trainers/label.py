"""Where a trainer that only knows a label, or a row of its data set, says what a response is scored against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError

from perception_reward.annotations.faults import first_fault, where
from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.api.split import MOST_IN_ONE
from perception_reward.trainer_client.wire import ScoreItem

# What a label may say of an item. Its response comes from elsewhere.
FIELDS = ("annotation_id", "answer", "choices", "tolerance", "facts", "group")


def fields_of(label: object, at: str) -> dict[str, Any]:
    """The item's fields in a label: an object of them, the same as JSON in a string, or else the answer alone.

    at: the label's place, for errors. Raises `InvalidRequest` for a label that says nothing: the reward would then
    be format alone, for the whole run, and nobody would be told.
    """
    if isinstance(label, str) and label.lstrip().startswith("{"):
        if sum(map(label.count, ",[{")) > MOST_IN_ONE:
            raise InvalidRequest(at, f"holds over {MOST_IN_ONE:,} values")
        label = _object(label)
    if isinstance(label, Mapping):
        return _known(cast("Mapping[str, object]", label), at)
    if isinstance(label, (int, float)) and not isinstance(label, bool):
        return {"answer": label}
    if isinstance(label, str) and label.strip():
        return {"answer": label}
    raise InvalidRequest(at, 'holds nothing to score against; give the answer, or {"annotation_id": …, "answer": …}')


def _object(label: str) -> object:
    """The JSON object in `label`, or `label` itself: an answer such as `{1, 2}` is a set, and no JSON."""
    try:
        return json.loads(label)
    except (ValueError, RecursionError):
        return label


def _known(label: Mapping[str, object], at: str) -> dict[str, Any]:
    unknown = next((name for name in label if name not in FIELDS), None)
    if unknown is not None:
        # A misspelt `anotation_id` would quietly turn the perception reward off.
        raise InvalidRequest(where((at, unknown)), f"is not known; a label may hold {', '.join(FIELDS)}")
    return known_fields(label, at)


def known_fields(fields: Mapping[str, object], at: str) -> dict[str, Any]:
    """The item's fields among `fields`, which may hold others; `InvalidRequest` where there is nothing among them."""
    found = {name: fields[name] for name in FIELDS if fields.get(name) is not None}
    if not found.keys() & {"annotation_id", "answer", "facts"}:
        raise InvalidRequest(at, "holds none of annotation_id, answer and facts, so there is nothing to score against")
    return found


def item(words: Mapping[str, str], fields: Mapping[str, object], at: str) -> ScoreItem:
    """The item to score; `InvalidRequest` says which of the label's fields is wrong.

    words: the item's `response`, and its `prefix` where that is known.
    """
    try:
        return ScoreItem.model_validate({**fields, **words})
    except ValidationError as error:
        field, message = first_fault(error)
        raise InvalidRequest(f"{at}.{field}" if field else at, message) from None

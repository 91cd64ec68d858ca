"""Which annotation, which answer: found wherever a trainer's data set has room for it.

Looked at in this order, and the first that has a field gives it: columns of their own; `extra_info` (verl, EasyR1),
`metadata` (slime, OpenRLHF); the ground truth or label, where it holds a JSON object with these fields. A ground truth
that holds none is the reference answer itself. Nothing else is read, and nothing else travels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, cast

from perception_reward.trainer_client.errors import DataError
from perception_reward.trainer_client.facts import FactsWatch, guess
from perception_reward.trainer_client.trainers.completions import said

Fields = dict[str, Any]

# What says with which problem a response has to do.
NAMES = ("annotation_id", "facts", "answer", "choices", "tolerance", "group")
# Columns that hold mappings, and columns that hold the reference answer or JSON.
NESTED = ("extra_info", "metadata", "reward_model")
TRUTHS = ("answer", "ground_truth", "solution", "label", "labels", "reference_answer")


def problem_of(row: Mapping[str, Any]) -> Fields:
    """The fields of a `ScoreItem` that `row` holds: `annotation_id` or `facts`, `answer`, `choices`, `tolerance` and
    `group`.

    Empty where it holds none of them: the row belongs to another task.
    """
    found: Fields = {}
    for source in _sources(row):
        for name in NAMES:
            value = source.get(name)
            if name not in found and not _is_nothing(value):
                found[name] = _plain(value)
    if "annotation_id" in found:
        found["annotation_id"] = str(found["annotation_id"])
        found.pop("facts", None)
    if "answer" in found:
        found["answer"] = _answer(found["answer"])
    if isinstance(choices := found.get("choices"), Mapping):
        # A column of mappings has the keys of all rows in each.
        options = cast("Mapping[str, Any]", choices).items()
        found["choices"] = {label: text for label, text in options if text is not None}
    if set(found) <= {"group", "tolerance"}:
        return {}
    return found


def asked_rows(columns: Mapping[str, Any], count: int) -> Iterator[Mapping[str, Any]]:
    """The rows of `columns`: lists of `count` values each; other values are not the data set's and are left out."""
    known = {
        name: values
        for name, values in columns.items()
        if name in (*NAMES, *NESTED, *TRUTHS) and _is_column(values, count)
    }
    for index in range(count):
        yield {name: values[index] for name, values in known.items()}


def group_of(item: Mapping[str, Any], prompt: str = "") -> str:
    """What the items of one problem share: its group or annotation, else a digest of all but the response with
    its prefix, and of the prompt."""
    if named := item.get("group") or item.get("annotation_id"):
        return str(named)
    told = repr((sorted((name, value) for name, value in item.items() if name not in ("response", "prefix")), prompt))
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def items_of(
    facts: FactsWatch,
    rows: Sequence[Mapping[str, Any]],
    responses: Sequence[object],
    prompts: Sequence[object] | None = None,
    beside: Mapping[str, Any] = {},
) -> list[Fields]:
    """The items of a batch: of each row only what names the problem leaves the trainer, and of each prompt only the
    thought that it has opened.

    facts: the client's, which is shown the rows. prompts: as the policy saw them (`said`). beside: a row with columns
    that `rows` leave out, for errors. Raises `DataError` for a row that names no problem, and for a first batch without
    facts.
    """
    items: list[Fields] = []
    for row, response, prompt in zip(rows, responses, prompts or [None] * len(rows), strict=True):
        problem = problem_of(row)
        if not problem:
            raise no_problem("a row of the data set", names_in({**row, **beside}))
        items.append({**problem, **said(response, prompt)})
    facts.rows(items, lambda: [name for row in (*rows, beside) for name in names_in(row)])
    return items


def truth_rows(truths: Iterable[Any]) -> list[dict[str, Any]]:
    """The rows of trainers that hand over a ground truth or label, and no other column."""
    return [{"ground_truth": truth} for truth in truths]


def no_problem(where: str, columns: Iterable[str]) -> DataError:
    """The error for data that says nowhere what to score against."""
    there = sorted(columns)
    return DataError(
        f"{where} names no annotation_id, facts or answer, so there is nothing to score against; it has "
        f"{', '.join(there) or 'no columns'}.{guess(there)} `perception-reward dataset` writes what each trainer needs."
    )


def names_in(row: Mapping[str, Any]) -> list[str]:
    """What the columns of `row` are called, and the fields in them, such as `extra_info.index`."""
    nested = {name: _mapping(row.get(name)) for name in (*NESTED, *TRUTHS)}
    return [*row, *(f"{name}.{field}" for name, fields in nested.items() for field in fields or ())]


def first_row(columns: Mapping[str, Any], count: int) -> dict[str, Any]:
    """The first of `count` rows, with all columns that hold rows."""
    return {name: values[0] for name, values in columns.items() if _is_column(values, count)}


def _sources(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    nested = [inner for inner in (_mapping(row.get(name)) for name in NESTED) if inner is not None]
    for source in (row, *nested):
        yield {name: source.get(name) for name in NAMES if name != "answer"}
        for name in TRUTHS:
            yield from _truth(source.get(name))


def _truth(value: object) -> Iterator[Mapping[str, Any]]:
    """What a reference answer's column holds: the answer, or an object that has it among its fields."""
    if _is_nothing(value):
        return
    inner = _mapping(value)
    if inner is None:
        yield {"answer": value}
        return
    yield inner
    yield from ({"answer": inner[name]} for name in TRUTHS if not _is_nothing(inner.get(name)))


def _mapping(value: object) -> Mapping[str, Any] | None:
    """A mapping, or the JSON object that a string holds."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            inner = json.loads(value)
        except ValueError:
            # LaTeX may begin with a brace.
            return None
        return cast("Fields", inner) if isinstance(inner, dict) else None
    return None


def _answer(value: Any) -> Any:
    """Text, a number or a list of alternatives, as the wire has them; what else a data set holds is told as text."""
    if isinstance(value, (list, tuple)):
        return [_answer(single) for single in cast("list[Any]", value)]
    return value if isinstance(value, (str, int, float)) and not isinstance(value, bool) else str(value)


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, (str, list, tuple, dict)) and not value)


def _is_column(values: object, count: int) -> bool:
    return (
        not isinstance(values, (str, bytes, Mapping))
        and hasattr(values, "__len__")
        and len(cast("Any", values)) == count
    )


def _plain(value: Any) -> Any:
    """Arrays and their scalars, which data loaders make of lists and numbers, as what they stand for."""
    return value.tolist() if hasattr(value, "tolist") else value

"""Rows of results for figures: what `perception-reward score` writes, in every form that `score` reads.

    rows = Results(["results.jsonl", "later/*.jsonl.zst"])
    for row in rows:
        row.value("accuracy"), row.field("model")        # 1.0, "step-120"

The components are those that the rows carry, whoever registered them; they may stand in the row itself too. Fields of
the rollout are found in the row, in its `extra` or in what `--explain` adds. What a table keeps as JSON text
(`components`, `facts`, `extra`) is read. A row has its texts with it; `slim` leaves what figures need, some 600 bytes.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.annotations.files import AnyFile
from perception_reward.annotations.record_json import as_null
from perception_reward.annotations.records import open_records
from perception_reward.service.batch.inputs import inputs_of
from perception_reward.service.rewards.registry import registered

KNOWN = ("id", "status", "score", "components", "facts", "reason", "truncated", "explained", "extra")
# How the side table of missing rows ends that `score` writes beside its results.
SIDE = ".missing.jsonl"
# What may name a row's problem, where nothing else is asked for; the id is the last resort.
PROBLEM_NAMES = ("problem", "problem_id", "annotation_id", "group", "pid", "question_id")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge said of a fact. span: where in the response."""

    id: str
    verdict: str
    probability: float | None = None
    span: tuple[int, int] | None = None
    text: str = ""


_NOTHING: Mapping[str, object] = {}
# The values that most rows have: one object each, for a million rows.
_FLOATS = {value: value for value in (0.0, 1.0, 0.5, 0.1, -1.0)}
# The names of measures that rows have, one tuple for all rows that have the same.
_NAMES: dict[tuple[str, ...], tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Row:
    """A result. file, place: where it stands, as the file was named, counted from 1.

    measures: the components that it carries, and last `score`. values: theirs; None is missing or does not apply.
    judged, stated, contradicted: how many of its facts are; facts: those, where the row is not slim.
    """

    file: str
    place: int
    id: str | None
    reason: str | None
    measures: tuple[str, ...]
    values: tuple[float | None, ...]
    facts: tuple[Verdict, ...]
    fields: Mapping[str, object]
    judged: int
    stated: int
    contradicted: int

    def value(self, measure: str) -> float | None:
        """Of a component, or of the `score`; None where the row carries none."""
        return self.values[self.measures.index(measure)] if measure in self.measures else None

    def field(self, name: str) -> str | None:
        """A field of the row or of its rollout, as text; None where it has none."""
        found = self.id if name == "id" else self.fields.get(name)
        if found is None or (isinstance(found, float) and math.isnan(found)):
            return None
        return str(int(found)) if isinstance(found, float) and found.is_integer() else str(found)

    @property
    def missing(self) -> bool:
        return self.value("score") is None

    @property
    def step(self) -> int | None:
        try:
            return int(float(str(self.fields.get("step"))))
        except (ValueError, OverflowError):
            return None

    def slim(self, keep: Collection[str]) -> Row:
        """With these fields alone, and without facts."""
        fields = {name: _shared(value) for name in keep if (value := self.fields.get(name)) is not None}
        return replace(self, facts=(), fields=fields or _NOTHING)


class Results:
    """The rows of files, folders, globs or URLs of results; each iteration reads them anew.

    Raises `ValueError` in a line for a name without a file; reading raises `RecordFileError` for the first record that
    is no result, and `OSError`. The side table that `score` keeps of missing rows is none, and is passed over.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.files = [file for file in inputs_of(names) if not file.name.endswith(SIDE) or str(file) in names]

    def __iter__(self) -> Iterator[Row]:
        return (row for file in self.files for row in _rows(file))

    def slim(self, keep: Collection[str]) -> list[Row]:
        """All of them, with these fields alone. Raises `ValueError` where there is none."""
        rows = [row.slim(keep) for row in self]
        if not rows:
            raise ValueError(f"{', '.join(self.names)} holds no result")
        return rows


def measures_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """The components that any of the rows carries, and last `score`."""
    names = dict.fromkeys(name for measures in dict.fromkeys(row.measures for row in rows) for name in measures[:-1])
    return (*names, "score")


def _rows(path: AnyFile) -> Iterator[Row]:
    file = open_records(path, known=(*KNOWN, *registered()), constants=as_null)
    name = str(path)
    for place, record in file:
        if isinstance(record, LineError):
            raise RecordFileError(path, [record], file.unit)
        try:
            row = row_of(name, place, record)
        except (ValueError, TypeError, KeyError) as error:
            fault = LineError(place, "", f"is no result of `perception-reward score`: {error}")
            raise RecordFileError(path, [fault], file.unit) from None
        yield row


def row_of(file: str, place: int, record: Mapping[str, object]) -> Row:
    """The row in a record. Raises `ValueError`, for people, for one that is none."""
    components = _mapping(record.get("components"), "components")
    flat = [name for name in registered() if name in record]
    if not components and not flat and "score" not in record:
        raise ValueError("it has neither components nor a score")
    measures = (*dict.fromkeys((*components, *flat)), "score")
    values = tuple(_number(components.get(name, record.get(name)), name) for name in measures)
    explained = _mapping(record.get("explained"), "explained")
    texts = {str(fact.get("id")): fact.get("text") for fact in _list(explained.get("facts"))}
    extra = {**_mapping(record.get("extra"), "extra"), **{n: v for n, v in explained.items() if n != "facts"}}
    told = {*KNOWN, *measures}
    others = {name: value for name, value in record.items() if name not in told and value is not None}
    reason = record.get("reason")
    if values[-1] is None and reason is None:
        reason = "unknown"
    name = record.get("id", extra.get("id"))
    facts = tuple(_verdict(fact, texts) for fact in _list(record.get("facts")))
    return Row(
        file,
        place,
        None if name is None else str(name),
        None if reason is None else sys.intern(str(reason)),
        _NAMES.setdefault(measures, measures),
        values,
        facts,
        {**extra, **others},
        len(facts),
        sum(fact.verdict == "stated" for fact in facts),
        sum(fact.verdict == "contradicted" for fact in facts),
    )


def problem_name(files: Sequence[Sequence[Row]], named: str | None = None) -> str:
    """What names the problem of a row: `named`, or the first of `PROBLEM_NAMES` that all rows have and the files share.

    Raises `ValueError`, for people, where a row lacks it.
    """
    if named is None:
        named = next((name for name in PROBLEM_NAMES if _names(files, name)), "id")
    for row in (row for rows in files for row in rows):
        if row.field(named) is None:
            raise ValueError(
                f"{row.file} line {row.place}: has no {named!r}; name the field that says which problem a row "
                "belongs to with --problem"
            )
    return named


def reasons(rows: Iterable[Row]) -> dict[str, int]:
    """How many scores are missing, by reason, the most frequent first."""
    counts: dict[str, int] = {}
    for row in rows:
        if row.missing:
            counts[row.reason or "unknown"] = counts.get(row.reason or "unknown", 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def _names(files: Sequence[Sequence[Row]], name: str) -> bool:
    found = [{row.field(name) for row in rows} for rows in files]
    if not found or any(None in names for names in found):
        return False
    return bool(found[0].intersection(*found[1:]))


def _number(value: object, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {str(value)[:40]!r} and not a number")
    return _FLOATS.get(value, float(value)) if math.isfinite(value) else None


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {str(value)[:40]!r} and not an object")
    return cast("dict[str, Any]", value)


def _list(value: object) -> list[Mapping[str, Any]]:
    if isinstance(value, str) and value.startswith("["):
        value = json.loads(value)
    return cast("list[Mapping[str, Any]]", value) if isinstance(value, list) else []


def _verdict(fact: Mapping[str, Any], texts: Mapping[str, object]) -> Verdict:
    """texts: of facts by id."""
    name, verdict = sys.intern(str(fact.get("id", ""))), sys.intern(str(fact.get("verdict", "absent")))
    span = cast("list[int] | None", fact.get("span"))
    text = fact.get("text") or texts.get(name)
    probability = fact.get("probability")
    return Verdict(
        name,
        verdict,
        None if probability is None else float(probability),
        (int(span[0]), int(span[1])) if span is not None and len(span) == 2 else None,
        str(text) if text else "",
    )


def _shared(value: object) -> object:
    """Names come again and again: of groups, problems, benchmarks."""
    return sys.intern(value) if type(value) is str else value

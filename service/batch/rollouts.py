"""Rollout files: items of `POST /v1/score`, one a record, in every form that `annotations.records` knows.

    for place, found in RolloutFile(path):
        ...                                     # (1, Rollout(item, extra)), (2, LineError(…)), …

Fields of the wire are the item. All others are carried along under their own names: a trainer's rollouts hold more than
a reward needs. Of a `prompt` in text the end is looked at: a thought that its template opened is the item's `prefix`,
where the record has none. A field that looks like a misspelt one is told by the survey, and so are rollouts without
facts: either would turn a part of the reward off in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from perception_reward.annotations.faults import LineError, Record, printable, said
from perception_reward.annotations.record_json import as_null
from perception_reward.annotations.records import open_records
from perception_reward.annotations.surrogates import mended
from perception_reward.service.places import where
from perception_reward.trainer_client.tokens import opened_thought
from perception_reward.trainer_client.wire import ScoreItem

FIELDS = tuple(ScoreItem.model_fields)
# Fields that are JSON in the cell of a CSV file.
NESTED = ("facts", "choices")
# Names that a data set may keep as numbers.
NAMES = ("id", "group", "annotation_id")
# Faulty records, and columns, that are told one by one.
MOST_SHOWN = 20
# How alike two names are of which one may be meant for the other, by `difflib`; and how long they are at least.
ALIKE, LEAST_LENGTH = 0.8, 4


@dataclass(frozen=True, slots=True)
class Rollout:
    """An item, and what else its record holds."""

    item: ScoreItem
    extra: Mapping[str, object]


class RolloutFile:
    """The rollouts of a file; each iteration reads it anew.

    left_out: the names of columns of bytes, which are not carried along.
    """

    def __init__(self, path: Path) -> None:
        """Raises `RecordFileError` with one line for a file that cannot be read, and `OSError`."""
        self.path = path
        self._file = open_records(path, known=FIELDS, nested=NESTED, constants=as_null)
        self.left_out = self._file.left_out
        self._defaults = {"response": ""} if self._file.form == "CSV" and "response" in self._columns else {}

    @property
    def _columns(self) -> tuple[str, ...]:
        return self._file.columns or ()

    def __iter__(self) -> Iterator[tuple[int, Rollout | LineError]]:
        for place, record in self._file:
            if isinstance(record, LineError):
                yield place, replace(record, message=record.message.removeprefix("is "))
            else:
                yield place, _rollout(place, {**self._defaults, **record})

    def rollouts(self) -> Iterator[Rollout]:
        """The good ones alone."""
        return (found for _, found in self if isinstance(found, Rollout))

    def survey(self) -> Survey:
        """Read all of it once, and say what it holds."""
        survey = Survey(left_out=self.left_out)
        for _, found in self:
            if isinstance(found, LineError):
                survey.faulty += 1
                if len(survey.faults) < MOST_SHOWN:
                    survey.faults.append(said(self.path.name, self._file.unit, found))
            else:
                survey.add(found)
        return survey


@dataclass(slots=True)
class Survey:
    """What a file of rollouts holds. faults: the first of them, in words."""

    good: int = 0
    faulty: int = 0
    faults: list[str] = field(default_factory=list[str])
    named: Counter[str] = field(default_factory=Counter[str])
    extra: Counter[str] = field(default_factory=Counter[str])
    without_facts: int = 0
    left_out: tuple[str, ...] = ()

    def add(self, rollout: Rollout) -> None:
        self.good += 1
        self.named.update(rollout.item.model_fields_set)
        self.without_facts += rollout.item.annotation_id is None and not rollout.item.facts
        for name in rollout.extra:
            if name in self.extra or len(self.extra) < MOST_SHOWN * MOST_SHOWN:
                self.extra[name] += 1

    def warnings(self) -> Iterator[str]:
        """What may turn a part of the reward off, unnoticed."""
        absent = [name for name in FIELDS if not self.named[name]]
        for name, count in self.extra.items():
            if (known := meant(name, absent)) is not None:
                yield f"{printable(name)!r} ({count} of {self.good} items) is not read; did you mean {known!r}?"
        if self.without_facts:
            which = "none of the items" if self.without_facts == self.good else f"{self.without_facts} of {self.good}"
            verb = "names" if self.without_facts == self.good else "items do not name"
            yield f"{which} {verb} facts, by annotation_id or as facts: without them there is no perception score"

    def notes(self) -> Iterator[str]:
        """What becomes of the other columns."""
        if self.extra:
            yield f"carried to the results, as `extra`: {_listed(self.extra)}"
        if self.left_out:
            yield f"not carried, because they hold bytes: {_listed(self.left_out)}"


def meant(name: str, known: Mapping[str, object] | list[str] | tuple[str, ...]) -> str | None:
    """Which of the names `known` somebody may have meant by `name`."""
    plain = {_plain(one): one for one in known}
    if _plain(name) in plain:
        return plain[_plain(name)]
    long_enough = [one for one in plain if len(one) >= LEAST_LENGTH]
    found = get_close_matches(_plain(name), long_enough, n=1, cutoff=ALIKE)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _rollout(place: int, record: Record) -> Rollout | LineError:
    known = {name: record[name] for name in FIELDS if name in record}
    for name in NAMES:
        if isinstance(number := known.get(name), int) and not isinstance(number, bool):
            known[name] = str(number)
    extra = {name: value for name, value in record.items() if name not in known}
    prompt = extra.get("prompt")
    if known.get("prefix") is None and isinstance(prompt, str) and (opened := opened_thought(prompt)):
        known["prefix"] = opened
    try:
        return Rollout(_item(known), extra)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field_, message = where(first["loc"]), first["msg"].removeprefix("Value error, ")
        if "response" not in known:
            field_, message = "response", _without_response(extra)
        return LineError(place, field_, f"{field_ if first['loc'] else 'item'}: {message}")


def _item(known: dict[str, object]) -> ScoreItem:
    try:
        return ScoreItem.model_validate(known)
    except ValidationError as error:
        # A policy in training writes every byte there is, lone surrogates among them.
        if not any(fault["type"] == "string_unicode" for fault in error.errors(include_url=False)):
            raise
        return ScoreItem.model_validate(mended(known))


def _without_response(extra: Mapping[str, object]) -> str:
    if isinstance(extra.get("items"), list):
        return "there is none; this is a whole request of POST /v1/score: give its items, one a line"
    if similar := [name for name in extra if meant(name, ("response",))]:
        return f"there is none; did you mean it by {printable(similar[0])!r}?"
    return f"there is none; name the field that holds what the policy wrote `response` ({_listed(extra) or 'no field'})"


def _listed(names: Mapping[str, object] | tuple[str, ...]) -> str:
    shown = [printable(name) for name in list(names)[:MOST_SHOWN]]
    return ", ".join(shown) + (", …" if len(names) > MOST_SHOWN else "")

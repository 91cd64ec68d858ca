"""Rollout files: rollouts of trainers and benchmarks, in every form that `annotations.records` knows.

    for place, found in RolloutFile(path):
        ...                                     # (1, Rollout(item, extra)), (2, LineError(…)), …

Which columns are the item's fields, `layouts` says. All others are carried along under their own names: a trainer's
rollouts hold more than a reward needs. Of a `prompt` in text the end is looked at: a thought that its template opened
is the item's `prefix`, where the record has none. A field that looks like a misspelt one is told by the survey, and so
are rollouts without facts: either would turn a part of the reward off in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from hashlib import blake2b
from itertools import islice
from typing import Any, cast

from pydantic import ValidationError

from perception_reward.annotations.faults import LineError, Record, first_fault, printable, said
from perception_reward.annotations.files import AnyFile
from perception_reward.annotations.record_json import as_null
from perception_reward.annotations.records import open_records
from perception_reward.annotations.surrogates import mended
from perception_reward.service.batch.layouts import (
    EACH,
    KNOWN,
    LETTER_COLUMNS,
    LETTERS,
    OURS,
    TARGETS,
    Layout,
    alternatives_of_text,
    at,
    options_of_text,
    recognised,
)
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
# What is read and stays in `extra` nevertheless.
CARRIED = ("step", "prompt")
_ITEM_FIELDS = frozenset(FIELDS)
# Records by which a layout is recognised.
FIRST = 20
# What a column of Parquet holds.
MOST_STEPS = 2**63


@dataclass(frozen=True, slots=True)
class Rollout:
    """An item, and what else its record holds. group: what the rollouts of one prompt share, where that can be seen."""

    item: ScoreItem
    extra: Mapping[str, object]
    step: int | None = None
    group: str | None = None


class RolloutFile:
    """The rollouts of a file; each iteration reads it anew.

    layout: whose layout it has, with what `--map` says. first: the good ones of its first records. left_out: the names
    of columns of bytes, which are not carried along. A record of several responses is several rollouts at one place.
    """

    def __init__(self, path: AnyFile, places: Mapping[str, str] | None = None) -> None:
        """places: by target, as of `--map`.

        Raises `RecordFileError` with one line for a file that cannot be read, and `OSError`.
        """
        self.path = path
        known = KNOWN.union((places or {}).values())
        self._file = open_records(path, known=known, nested=NESTED, constants=as_null)
        self.left_out = self._file.left_out
        self._defaults: dict[str, object] = {}
        self.first = [record for record in self._records(FIRST) if not isinstance(record, LineError)]
        self.layout = recognised(self.first, self._columns).mapped(places or {})
        if self._file.form == "CSV":
            said = [place for place in self.layout.places("response") if place in self._columns]
            self._defaults = dict.fromkeys(said[:1], "")

    @property
    def unit(self) -> str:
        return self._file.unit

    @property
    def described(self) -> str:
        """The layout, and the column of each field that the first records have."""
        return self.layout.describe(self.first)

    @property
    def found(self) -> dict[str, str]:
        """By field, the place that the first records have it in."""
        return self.layout.found_in(self.first)

    @property
    def _columns(self) -> tuple[str, ...]:
        return self._file.columns or ()

    def _records(self, count: int) -> Iterator[Record | LineError]:
        return (record for _, record in islice(self._file, count))

    def __iter__(self) -> Iterator[tuple[int, Rollout | LineError]]:
        return self.behind(0)

    def behind(self, place: int) -> Iterator[tuple[int, Rollout | LineError]]:
        """The rollouts of the records behind a place, counted from 1."""
        for number, record in self.records(place):
            if isinstance(record, LineError):
                yield number, record
            else:
                for rollout in read_rollouts(number, record, self.layout):
                    yield number, rollout

    def records(self, after: int = 0) -> Iterator[tuple[int, Record | LineError]]:
        """The records as they stand in the file."""
        for place, record in self._file.records(after):
            if isinstance(record, LineError):
                yield place, replace(record, message=record.message.removeprefix("is "))
            else:
                yield place, {**self._defaults, **record} if self._defaults else record

    def rollouts(self) -> Iterator[Rollout]:
        """The good ones alone."""
        return (found for _, found in self if isinstance(found, Rollout))

    def survey(self, most: int | None = None) -> Survey:
        """Read it once, or its first `most` records, and say what it holds."""
        survey = Survey(left_out=self.left_out)
        for place, found in self:
            if most is not None and place > most:
                survey.complete = False
                break
            survey.meet(self, found)
        return survey


@dataclass(slots=True)
class Survey:
    """What files of rollouts hold. faults: the first of them, in words. complete: whether all of them was read."""

    complete: bool = True
    good: int = 0
    faulty: int = 0
    faults: list[str] = field(default_factory=list[str])
    named: Counter[str] = field(default_factory=Counter[str])
    extra: Counter[str] = field(default_factory=Counter[str])
    without_facts: int = 0
    left_out: tuple[str, ...] = ()

    def meet(self, file: RolloutFile, found: Rollout | LineError) -> None:
        if isinstance(found, Rollout):
            self.add(found)
            return
        self.faulty += 1
        if len(self.faults) < MOST_SHOWN:
            self.faults.append(said(file.path.name, file.unit, found))

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


def read_rollouts(place: int, record: Record, layout: Layout) -> list[Rollout | LineError]:
    """The rollouts that a record holds: one, or one for each of several responses."""
    known, extra, several = _split(record, layout)
    responses = known.get("response")
    if not several or not isinstance(responses, list):
        return [_rollout(place, known, extra, layout)]
    each = cast("list[object]", responses)
    if len(each) == 1:
        return [_rollout(place, {**known, "response": _spoken(each[0])}, extra, layout)]
    name = known.get("id")
    return [
        _rollout(
            place,
            {
                **known,
                "response": _spoken(response),
                "id": f"{name}#{number}" if name is not None else None,
                "group": known.get("group") or name,
            },
            extra,
            layout,
        )
        for number, response in enumerate(each)
    ]


def _split(record: Record, layout: Layout) -> tuple[dict[str, Any], dict[str, object], bool]:
    """The item's fields, with `step`, `prompt` and `thought`; all that is carried along; and whether the response is a
    list of several."""
    several = False
    known: dict[str, Any] = {}
    used: set[str] = set()
    for target, places in ((target, layout.places(target)) for target in TARGETS):
        for place in places:
            if place in record or (("." in place or place == LETTERS) and at(record, place) is not None):
                known[target] = at(record, place)
                several = several or (target == "response" and EACH in place.split("."))
                if target not in CARRIED:
                    used.update(LETTER_COLUMNS if place == LETTERS else (place, place.split(".")[0]))
                break
    return known, {name: value for name, value in record.items() if name not in used}, several


def _spoken(response: object) -> object:
    """A response as the wire knows it: a lone message stands in a list there."""
    return [cast("dict[str, object]", response)] if isinstance(response, dict) else response


def _rollout(place: int, fields: dict[str, Any], extra: dict[str, object], layout: Layout) -> Rollout | LineError:
    known = {name: value for name, value in fields.items() if name in _ITEM_FIELDS}
    for name in NAMES:
        if isinstance(number := known.get(name), int | float) and not isinstance(number, bool):
            known[name] = str(number if (whole := _whole(number)) is None else whole)
    if layout.name != OURS.name:
        _as_ours(known, fields)
    if extra.get("id") == known.get("id"):
        extra = {name: value for name, value in extra.items() if name != "id"}
    prompt = fields.get("prompt")
    if known.get("prefix") is None and isinstance(prompt, str) and (opened := opened_thought(prompt)):
        known["prefix"] = opened
    try:
        item = _item(known)
    except ValidationError as error:
        field_, message = first_fault(error)
        if "response" not in known or (known["response"] is None and layout.name != OURS.name):
            field_, message = "response", _without_response(extra)
        return LineError(place, field_, f"{field_ or 'item'}: {message}")
    step = _whole(fields.get("step"))
    group = item.group or item.annotation_id or _asked(prompt)
    return Rollout(item, extra, step if step is not None and 0 <= step < MOST_STEPS else None, group)


def _whole(value: object) -> int | None:
    """The whole number that a value is. Infinity and NaN, as Parquet has them, are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None


def _as_ours(known: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """What other writers put differently: options as text, numbers for words, a thought beside the answer."""
    if "choices" in known:
        known["choices"] = options_of_text(known["choices"])
    if "answer" in known:
        known["answer"] = alternatives_of_text(known["answer"])
    if isinstance(known.get("response"), dict):
        known["response"] = [known["response"]]
    if isinstance(known.get("response"), int | float):
        known["response"] = str(known["response"])
    thought = fields.get("thought")
    if isinstance(thought, str) and thought.strip() and isinstance(known.get("response"), str):
        known["response"] = f"<think>{thought}</think>\n{known['response']}"


def _asked(prompt: object) -> str | None:
    """A name for a prompt, the same wherever it comes again."""
    if not prompt:
        return None
    return blake2b(repr(prompt).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


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

"""Runs of rollouts as a report shows them: results, with what belongs to them of the rollouts that were scored.

    run = run_of("step-120", Results(["results.jsonl"]), profile, written=rollouts, annotations=annotations)
    run.rollouts[0].advantage
    run.texts([run.rollouts[0]])[0].response

A rollout's advantage is its score less the mean of its group, over the group's standard deviation: what GRPO learns
from. Of all rollouts only what figures need is held; the texts of those that are shown are read a second time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from statistics import fmean, pstdev
from typing import TypeAlias, cast

from perception_reward.annotations.model import Annotation
from perception_reward.service.batch.rollouts import Rollout as Written
from perception_reward.service.profiles.model import Profile
from perception_reward.service.report.rows import PROBLEM_NAMES, Row, Verdict, measures_of
from perception_reward.service.scoring.combine import combine, shut_component
from perception_reward.service.scoring.responses import response_text
from perception_reward.trainer_client.reference import texts_of
from perception_reward.trainer_client.wire import Components, Fact

GroupKey: TypeAlias = tuple[int | None, str]
# Scores of a group that differ by less than this teach nothing.
SPREAD = 1e-6
# What is kept of a row besides what names its problem.
KEPT = ("step", "group", *PROBLEM_NAMES)
SURE = 0.99
_number = re.compile(r"\d+(?:\.\d+)?")


@dataclass(slots=True)
class Rollout:
    """A result, without its texts. place: among the run's results, from 0.

    length: characters of the response, and numbers: how many different ones it holds; None where it is not known.
    lies: whether it states a fact that is false of the image; None where none is known. verdicts, sure: how many have a
    probability, and one of more than `SURE`. flags: the signs that it shows.
    """

    place: int
    row: Row
    length: int | None = None
    numbers: int | None = None
    lies: bool | None = None
    verdicts: int = 0
    sure: int = 0
    group: GroupKey | None = None
    advantage: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def score(self) -> float | None:
        return self.row.value("score")

    def flag(self, name: str) -> None:
        self.flags = _flags(self.flags, name)


@dataclass(frozen=True, slots=True)
class Texts:
    """What a rollout says and is judged by.

    false: ids of facts that are false of the image. idle: of those that the profile does not pay for.
    """

    response: str | None
    question: str | None
    answer: str | None
    facts: tuple[Verdict, ...]
    false: frozenset[str]
    idle: frozenset[str]


@dataclass(frozen=True, slots=True)
class Run:
    """Results of one run. groups: the rollouts of one prompt and step, those of two or more scored ones.

    components: those that its rows carry. foreign: scores that the profile does not make of their components, as those
    of another profile.
    """

    label: str
    rollouts: Sequence[Rollout]
    components: Sequence[str]
    groups: Mapping[GroupKey, Sequence[Rollout]]
    foreign: int
    profile: Profile
    source: _Source

    def parts(self, one: Rollout) -> dict[str, float]:
        """What each component adds to a rollout's score under the profile."""
        shut = shut_component(self.profile, _components(one.row))
        return {
            name: 0.0
            if (value := one.row.value(name)) is None or name == shut
            else self.profile.weight(name, one.row.step) * value
            for name in self.components
        }

    def texts(self, rollouts: Iterable[Rollout]) -> list[Texts]:
        """Those of some rollouts, in their order; reads the results and the rollouts that were scored once more."""
        wanted = [one.place for one in rollouts]
        found = dict(self.source.texts(frozenset(wanted), self.profile))
        return [found[place] for place in wanted]


def run_of(
    label: str,
    rows: Iterable[Row],
    profile: Profile,
    *,
    written: Iterable[Written] = (),
    annotations: Mapping[str, Annotation] | None = None,
    keep: Collection[str] = (),
) -> Run:
    """rows and written, the rollouts that were scored, are iterated over more than once. They belong together by order
    or by id. keep: further fields of the rows that are asked for. Raises what iterating raises."""
    source = _Source(rows, written, annotations or {})
    rollouts = source.rollouts(frozenset((*KEPT, *keep)))
    foreign = sum(
        one.score is not None and abs(one.score - combine(profile, _components(one.row), one.row.step)) > 1e-6
        for one in rollouts
    )
    *components, _ = measures_of(one.row for one in rollouts)
    return Run(label, rollouts, components, _grouped(rollouts), foreign, profile, source)


@dataclass(slots=True)
class _About:
    """What is held of a rollout that was scored."""

    id: str | None
    group: str | None
    annotation_id: str | None
    length: int
    numbers: int
    false: frozenset[str]


class _Source:
    """Where rollouts and their texts are read from."""

    def __init__(self, rows: Iterable[Row], written: Iterable[Written], annotations: Mapping[str, Annotation]) -> None:
        self._rows, self._written, self._annotations = rows, written, annotations
        self._name = "id"
        # Of each result, the place of the rollout that was scored.
        self._places: list[int | None] = []

    def rollouts(self, keep: Collection[str]) -> list[Rollout]:
        abouts = [self._about(one) for one in self._written]
        found: list[Rollout] = []
        stated: list[tuple[str, ...]] = []
        for place, row in enumerate(self._rows):
            one = Rollout(place, row.slim(keep))
            one.verdicts = sum(fact.probability is not None for fact in row.facts)
            one.sure = sum((fact.probability or 0.0) > SURE for fact in row.facts)
            if (said := _text(row.fields.get("response"))) is not None:
                one.length, one.numbers = len(said), _numbers(said)
            found.append(one)
            if abouts or self._annotations:
                stated.append(tuple(fact.id for fact in row.facts if fact.verdict == "stated"))
        named = (name for name in PROBLEM_NAMES if any(one.row.field(name) is not None for one in found))
        self._name = next(named, "id")
        self._places = _joined(found, abouts) if abouts else [None] * len(found)
        for one, place, said in zip(found, self._places, stated or repeat(()), strict=False):
            self._fill(one, None if place is None else abouts[place], said)
        return found

    def texts(self, wanted: Collection[int], profile: Profile) -> Iterator[tuple[int, Texts]]:
        places = {self._places[place] for place in wanted}
        written: dict[int | None, Written] = {at: one for at, one in enumerate(self._written) if at in places}
        for place, row in enumerate(self._rows):
            if place in wanted:
                yield place, self._texts(row, written.get(self._places[place]), profile)

    def _about(self, written: Written) -> _About:
        item, said = written.item, response_text(written.item.response)
        facts = item.facts if item.facts is not None else self._facts(item.annotation_id)
        return _About(item.id, item.group, item.annotation_id, len(said), _numbers(said), _false(facts))

    def _fill(self, one: Rollout, about: _About | None, stated: Sequence[str]) -> None:
        name = (about.annotation_id if about else None) or one.row.field("annotation_id")
        if about is not None:
            one.length, one.numbers = about.length, about.numbers
        false = about.false if about is not None and about.false else _false(self._facts(name))
        one.lies = any(fact in false for fact in stated) if false else None
        group = (about.group if about else None) or one.row.field("group") or one.row.field(self._name)
        group = group or (about.annotation_id if about else None)
        one.group = None if group is None else (one.row.step, group)

    def _facts(self, annotation_id: str | None) -> Sequence[Fact]:
        about = self._annotations.get(annotation_id or "")
        return about.facts if about is not None else ()

    def _texts(self, row: Row, written: Written | None, profile: Profile) -> Texts:
        item = written.item if written is not None else None
        about = self._annotations.get((item.annotation_id if item else None) or row.field("annotation_id") or "")
        facts = (item.facts if item and item.facts is not None else about.facts if about else None) or []
        known: dict[str, Fact] = {fact.id: fact for fact in facts}
        answer = (
            item.answer if item and item.answer is not None else about.answer if about else row.fields.get("answer")
        )
        said = written.extra.get("question") if written else None
        return Texts(
            response=response_text(item.response) if item else _text(row.fields.get("response")),
            question=(about.question if about else None) or (str(said) if said else None) or row.field("question"),
            answer=None if answer is None else " or ".join(texts_of(cast("str", answer))),
            facts=tuple(_with_text(fact, known.get(fact.id)) for fact in row.facts),
            false=_false(facts),
            idle=frozenset(fact.id for fact in facts if fact.polarity == "present" and not profile.pays(fact)),
        )


def _joined(found: Sequence[Rollout], abouts: Sequence[_About]) -> list[int | None]:
    """The place in `abouts` of each rollout."""
    if len(found) == len(abouts) and all(
        about.id in (None, one.row.id) for about, one in zip(abouts, found, strict=True)
    ):
        return list(range(len(found)))
    named = {about.id: place for place, about in enumerate(abouts) if about.id is not None}
    return [named.get(one.row.id or "") for one in found]


def _numbers(text: str) -> int:
    return len(set(_number.findall(text)))


@lru_cache(maxsize=1024)
def _flags(flags: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(sorted({*flags, name}))


def _false(facts: Iterable[Fact]) -> frozenset[str]:
    return frozenset(fact.id for fact in facts if fact.polarity == "distractor")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _with_text(verdict: Verdict, fact: Fact | None) -> Verdict:
    text = verdict.text or (fact.text if fact else "")
    return Verdict(verdict.id, verdict.verdict, verdict.probability, verdict.span, text)


def _components(row: Row) -> Components:
    return dict(zip(row.measures[:-1], row.values, strict=False))


def _grouped(rollouts: Iterable[Rollout]) -> dict[GroupKey, list[Rollout]]:
    """The groups; each rollout in one gets its advantage."""
    groups: defaultdict[GroupKey, list[Rollout]] = defaultdict(list)
    for one in rollouts:
        if one.group is not None and one.score is not None:
            groups[one.group].append(one)
    found = {key: members for key, members in groups.items() if len(members) > 1}
    for members in found.values():
        scores = [cast(float, one.score) for one in members]
        mean, spread = fmean(scores), pstdev(scores)
        for one, score in zip(members, scores, strict=True):
            one.advantage = (score - mean) / spread if spread > SPREAD else 0.0
    return found

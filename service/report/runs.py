"""Runs of rollouts as a report shows them: results, with the texts that belong to them.

    run = run_of("step-120", read_rows(results), profile, written=rollouts, annotations=annotations)
    run.rollouts[0].advantage

A rollout's advantage is its score less the mean of its group, over the group's standard deviation: what GRPO learns
from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev
from typing import TypeAlias, cast

from perception_reward.annotations.model import Annotation
from perception_reward.service.batch.rollouts import Rollout as Written
from perception_reward.service.combine import combine, shut_component
from perception_reward.service.profiles.model import Profile
from perception_reward.service.report.rows import COMPONENTS, PROBLEM_NAMES, Row, Verdict
from perception_reward.service.responses import response_text
from perception_reward.trainer_client.reference import texts_of
from perception_reward.trainer_client.wire import Components, Fact

GroupKey: TypeAlias = tuple[int | None, str]
# Scores of a group that differ by less than this teach nothing.
SPREAD = 1e-6


@dataclass(slots=True)
class Rollout:
    """A result with its texts. parts: what each component adds to the score under the profile.

    false: ids of facts that are false of the image. idle: of those that the profile does not pay for.
    """

    row: Row
    response: str | None
    question: str | None
    answer: str | None
    group: GroupKey | None
    facts: tuple[Verdict, ...]
    false: frozenset[str]
    idle: frozenset[str]
    parts: Mapping[str, float]
    advantage: float | None = None
    flags: set[str] = field(default_factory=set[str])

    @property
    def score(self) -> float | None:
        return self.row.value("score")


@dataclass(frozen=True, slots=True)
class Run:
    """A file of results. groups: the rollouts of one prompt and step, those of two or more scored ones.

    foreign: scores that the profile does not make of their components, as those of another profile.
    """

    label: str
    rollouts: Sequence[Rollout]
    groups: Mapping[GroupKey, Sequence[Rollout]]
    foreign: int


def run_of(
    label: str,
    rows: Sequence[Row],
    profile: Profile,
    *,
    written: Sequence[Written] = (),
    annotations: Mapping[str, Annotation] | None = None,
) -> Run:
    """written: the rollouts that were scored, in the same order or with the same ids."""
    named = {one.item.id: one for one in written if one.item.id is not None}
    in_order = len(written) == len(rows) and all(
        one.item.id in (None, row.id) for one, row in zip(written, rows, strict=True)
    )
    name = next((name for name in PROBLEM_NAMES if any(row.field(name) is not None for row in rows)), "id")
    rollouts = [
        _rollout(row, written[place] if in_order else named.get(row.id or ""), name, profile, annotations or {})
        for place, row in enumerate(rows)
    ]
    foreign = sum(
        one.score is not None and abs(one.score - combine(profile, _components(one.row), one.row.step)) > 1e-6
        for one in rollouts
    )
    return Run(label, rollouts, _grouped(rollouts), foreign)


def _rollout(
    row: Row, written: Written | None, name: str, profile: Profile, annotations: Mapping[str, Annotation]
) -> Rollout:
    item = written.item if written is not None else None
    about = annotations.get((item.annotation_id if item else None) or row.field("annotation_id") or "")
    facts = (item.facts if item and item.facts is not None else about.facts if about else None) or []
    known: dict[str, Fact] = {fact.id: fact for fact in facts}
    answer = item.answer if item and item.answer is not None else about.answer if about else row.fields.get("answer")
    group = (item.group if item else None) or row.field("group") or row.field(name)
    if group is None and item is not None:
        group = item.annotation_id
    said = written.extra.get("question") if written else None
    question = (about.question if about else None) or (str(said) if said else None) or row.field("question")
    return Rollout(
        row=row,
        response=response_text(item.response) if item else _text(row.fields.get("response")),
        question=question,
        answer=None if answer is None else " or ".join(texts_of(cast("str", answer))),
        group=None if group is None else (row.step, group),
        facts=tuple(_with_text(fact, known.get(fact.id)) for fact in row.facts),
        false=frozenset(fact.id for fact in facts if fact.polarity == "distractor"),
        idle=frozenset(fact.id for fact in facts if fact.polarity == "present" and not profile.pays(fact)),
        parts=_parts(row, profile),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _with_text(verdict: Verdict, fact: Fact | None) -> Verdict:
    text = verdict.text or (fact.text if fact else "")
    return Verdict(verdict.id, verdict.verdict, verdict.probability, verdict.span, text)


def _components(row: Row) -> Components:
    return {name: row.value(name) for name in COMPONENTS}


def _parts(row: Row, profile: Profile) -> dict[str, float]:
    shut = shut_component(profile, _components(row))
    return {
        name: 0.0 if (value := row.value(name)) is None or name == shut else profile.weight(name, row.step) * value
        for name in COMPONENTS
    }


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

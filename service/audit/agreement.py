"""How far two judges agree about the same rollouts, so that a cheap one can be trusted, or not, for a dear one.

Nobody is right here: kappa and the share of equal verdicts treat both alike. A verdict that one of them could not give
is told apart and counts neither as agreement nor as disagreement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from perception_reward.service.audit.figures import Estimate, Figures, Judged, Proportion
from perception_reward.service.audit.statistics import LABELS, Sample, estimate, kappa, proportion
from perception_reward.service.scoring.responses import response_text
from perception_reward.trainer_client.wire import Fact, FactResult, ItemResult, Label, ScoreItem

SEED = 0


@dataclass(frozen=True, slots=True)
class Rollout:
    """A saved rollout with its facts, those of its annotation where it has no own."""

    item: ScoreItem
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two judges' verdicts about one fact and one response; None where a judge has none.

    place: the item's, from 0. unit: what verdicts that resemble each other share, a group of rollouts or a response.
    """

    place: int
    unit: str
    fact: str
    one: FactResult | None
    other: FactResult | None

    @property
    def differs(self) -> bool:
        return self.one is not None and self.other is not None and self.one.verdict != self.other.verdict


class KindAgreement(Figures):
    """The figures of one kind of fact."""

    kind: str
    compared: int
    missing: int
    agreed: Proportion
    kappa: Estimate


class Agreement(Figures):
    """`compared` facts have a verdict of both judges; `agreed` and `kappa` are over these."""

    items: int
    compared: int
    missing: int = Field(description="Facts of which one judge or both have no verdict.")
    unknown: int = Field(description="Items whose facts are not known, since neither judge has a verdict there.")
    agreed: Proportion = Field(description="The three-way verdict is the same.")
    kappa: Estimate = Field(description="Cohen's, over the three verdicts.")
    confusion: dict[Judged, dict[Judged, int]] = Field(description="Counts by the one's verdict, then the other's.")
    kinds: list[KindAgreement]


class Mismatch(ValueError):
    """The two sets of results are not about the same rollouts; the message says where they part."""

    def __init__(self, where: str) -> None:
        super().__init__(f"these are not results for the same rollouts: {where}")


def pairs(
    one: Sequence[ItemResult], other: Sequence[ItemResult], rollouts: Sequence[Rollout] | None = None
) -> list[Pair]:
    """The verdicts side by side, in the order of the items. Raises `Mismatch`.

    rollouts: what was judged. Without it, facts that neither judge has a verdict on are not known.
    """
    sizes = {len(one), len(other), *([len(rollouts)] if rollouts is not None else [])}
    if len(sizes) > 1:
        raise Mismatch(f"they hold {len(one)} and {len(other)} results" + _of(rollouts))
    found: list[Pair] = []
    for place, (left, right) in enumerate(zip(one, other, strict=True)):
        if left.id != right.id:
            raise Mismatch(f"result {place + 1} is of {left.id!r} in the one and of {right.id!r} in the other")
        found += _side_by_side(place, left, right, rollouts[place] if rollouts is not None else None)
    return found


def _of(rollouts: Sequence[Rollout] | None) -> str:
    return f" of {len(rollouts)} items" if rollouts is not None else ""


def _side_by_side(place: int, left: ItemResult, right: ItemResult, rollout: Rollout | None) -> Iterator[Pair]:
    said = [{fact.id: fact for fact in result.facts or ()} for result in (left, right)]
    known = [fact.id for fact in rollout.facts] if rollout is not None else list(said[0] or said[1])
    for name, facts in zip(("one", "other"), said, strict=True):
        if facts and facts.keys() != set(known):
            strange = sorted(facts.keys() ^ set(known))[0]
            raise Mismatch(
                f"result {place + 1}: fact {strange!r} is not in both the {name}'s result and what was asked"
            )
    unit = _unit(place, rollout)
    for fact in known:
        yield Pair(place, unit, fact, said[0].get(fact), said[1].get(fact))


def _unit(place: int, rollout: Rollout | None) -> str:
    named = (rollout.item.group or rollout.item.annotation_id) if rollout is not None else None
    return f"item {place}" if named is None else f"named {named}"


def unknown_items(one: Sequence[ItemResult], other: Sequence[ItemResult]) -> int:
    """Items of which neither set of results says what the facts are, although one of them lacks a score."""
    both = zip(one, other, strict=True)
    return sum(not left.facts and not right.facts and "missing" in (left.status, right.status) for left, right in both)


def agreement(
    found: Sequence[Pair], *, items: int, unknown: int = 0, rollouts: Sequence[Rollout] | None = None
) -> Agreement:
    """The figures over all pairs, and by kind where the rollouts are known."""
    groups: dict[str, list[Pair]] = {}
    kinds = [{fact.id: fact.kind for fact in rollout.facts} for rollout in rollouts or ()]
    for pair in found:
        groups.setdefault(kinds[pair.place][pair.fact] if kinds else "all", []).append(pair)
    both = _given(found)
    confusion: dict[Judged, dict[Judged, int]] = {
        row: dict.fromkeys((*LABELS, "missing"), 0) for row in (*LABELS, "missing")
    }
    for pair in found:
        confusion[_label(pair.one)][_label(pair.other)] += 1
    return Agreement(
        items=items,
        compared=len(both),
        missing=len(found) - len(both),
        unknown=unknown,
        agreed=_agreed(both),
        kappa=_kappa(both),
        confusion=confusion,
        kinds=[_of_kind(kind, group) for kind, group in sorted(groups.items(), key=lambda each: -len(each[1]))],
    )


def _of_kind(kind: str, group: Sequence[Pair]) -> KindAgreement:
    both = _given(group)
    return KindAgreement(
        kind=kind, compared=len(both), missing=len(group) - len(both), agreed=_agreed(both), kappa=_kappa(both)
    )


def _given(found: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in found if pair.one is not None and pair.other is not None]


def _label(said: FactResult | None) -> Judged:
    return "missing" if said is None else said.verdict


def _agreed(both: Sequence[Pair]) -> Proportion:
    return proportion([not pair.differs for pair in both], [pair.unit for pair in both])


def _kappa(both: Sequence[Pair]) -> Estimate:
    units = {unit: number for number, unit in enumerate(dict.fromkeys(pair.unit for pair in both))}
    sample = Sample(
        expected=np.array([_place(pair.one) for pair in both], dtype=np.int64),
        judged=np.array([_place(pair.other) for pair in both], dtype=np.int64),
        probability=np.array([pair.other.probability if pair.other else 0.0 for pair in both]),
        unit=np.array([units[pair.unit] for pair in both], dtype=np.int64),
    )
    return estimate(kappa, sample, seed=SEED)


def _place(said: FactResult | None) -> int:
    assert said is not None
    label: Label = said.verdict
    return LABELS.index(label)


class Disagreement(Figures):
    """Two verdicts that differ, with what a person needs to settle them."""

    item: str | None
    place: int = Field(description="The item's place in the file, from 0.")
    fact_id: str
    fact: str | None
    kind: str | None
    one: FactResult
    other: FactResult
    response: str | None

    @property
    def distance(self) -> float:
        """How far the two probabilities of `stated` are apart."""
        return abs(self.one.probability - self.other.probability)


def disagreements(
    found: Sequence[Pair], results: Sequence[ItemResult], rollouts: Sequence[Rollout] | None = None
) -> list[Disagreement]:
    """All pairs that differ, those first whose probabilities are furthest apart."""
    listed: list[Disagreement] = []
    for pair in found:
        if not pair.differs or pair.one is None or pair.other is None:
            continue
        rollout = rollouts[pair.place] if rollouts is not None else None
        fact = next((fact for fact in rollout.facts if fact.id == pair.fact), None) if rollout else None
        listed.append(
            Disagreement(
                item=results[pair.place].id,
                place=pair.place,
                fact_id=pair.fact,
                fact=fact.text if fact else None,
                kind=fact.kind if fact else None,
                one=pair.one,
                other=pair.other,
                response=response_text(rollout.item.response) if rollout else None,
            )
        )
    return sorted(listed, key=lambda each: -each.distance)

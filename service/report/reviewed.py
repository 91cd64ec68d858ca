"""What people's decisions come to: how many facts are right, and how far two reviewers agree.

found = review_figures(items, decisions)
found.reviewers["ann"].total.value, found.reviewers["ann"].kinds["length"].low
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from pydantic import Field

from perception_reward.annotations.decisions import Decision, Key
from perception_reward.annotations.review import Item, in_force
from perception_reward.service.audit.figures import Estimate, Figures, Proportion
from perception_reward.service.audit.statistics import Sample, estimate, kappa, proportion

SEED = 0


class Accuracy(Figures):
    """One reviewer's: a fact is right where it was accepted. One that needed other words was not."""

    total: Proportion
    edited: int
    kinds: dict[str, Proportion]
    sources: dict[str, Proportion]


class Agreement(Figures):
    """Two reviewers on the facts that both decided, right or not. Nobody is taken to be right."""

    one: str
    other: str
    agreed: Proportion
    kappa: Estimate


class ReviewFigures(Figures):
    """facts: under review."""

    facts: int
    reviewers: dict[str, Accuracy]
    agreement: list[Agreement] = Field(default_factory=list[Agreement])


def review_figures(items: Sequence[Item], decisions: Mapping[str, Mapping[Key, Decision]]) -> ReviewFigures:
    """Figures of the decisions, by reviewer. Those about facts that read otherwise by now do not count.

    Intervals are Wilson's at 95 %, wider where facts of one problem are right or wrong together.
    """
    found = {name: dict(_right(items, theirs)) for name, theirs in decisions.items()}
    return ReviewFigures(
        facts=len(items),
        reviewers={name: _accuracy(items, right, decisions[name]) for name, right in found.items()},
        agreement=[
            _agreement(one, other, found[one], found[other])
            for one, other in combinations(found, 2)
            if found[one].keys() & found[other].keys()
        ],
    )


def _right(items: Sequence[Item], decisions: Mapping[Key, Decision]) -> Iterator[tuple[Key, bool]]:
    return ((item.key, decision.decision == "accept") for item, decision in in_force(items, decisions))


def _accuracy(items: Sequence[Item], right: Mapping[Key, bool], decisions: Mapping[Key, Decision]) -> Accuracy:
    decided = [item for item in items if item.key in right]

    def share(of: Sequence[Item]) -> Proportion:
        return proportion([right[item.key] for item in of], [item.annotation.id for item in of])

    kinds: dict[str, list[Item]] = {}
    sources: dict[str, list[Item]] = {}
    for item in decided:
        kinds.setdefault(item.kind, []).append(item)
        sources.setdefault(item.source, []).append(item)
    return Accuracy(
        total=share(decided),
        edited=sum(decisions[item.key].decision == "edit" for item in decided),
        kinds={name: share(group) for name, group in sorted(kinds.items(), key=lambda each: -len(each[1]))},
        sources={name: share(group) for name, group in sorted(sources.items(), key=lambda each: -len(each[1]))},
    )


def _agreement(one: str, other: str, left: Mapping[Key, bool], right: Mapping[Key, bool]) -> Agreement:
    both = [key for key in left if key in right]
    units = {name: number for number, name in enumerate(dict.fromkeys(key[0] for key in both))}
    sample = Sample(
        expected=np.array([int(left[key]) for key in both], dtype=np.int64),
        judged=np.array([int(right[key]) for key in both], dtype=np.int64),
        probability=np.zeros(len(both)),
        unit=np.array([units[key[0]] for key in both], dtype=np.int64),
    )
    return Agreement(
        one=one,
        other=other,
        agreed=proportion([left[key] == right[key] for key in both], [key[0] for key in both]),
        kappa=estimate(kappa, sample, seed=SEED),
    )


def review_lines(figures: ReviewFigures) -> Iterator[str]:
    """The figures for people."""
    for name, accuracy in figures.reviewers.items():
        total = accuracy.total
        mended = f"; {accuracy.edited} of the others have other words" if accuracy.edited else ""
        yield f"{name}: {total.total} of {figures.facts} facts reviewed, {said(total)} right{mended}"
        for title, groups in (("kind", accuracy.kinds), ("source", accuracy.sources)):
            width = max(map(len, (title, *groups)), default=0)
            yield f"  {title:{width}}    facts  right  95 %"
            for each, share in groups.items():
                yield f"  {each:{width}} {share.total:8}  {said(share)}"
    for pair in figures.agreement:
        yield f"{pair.one} and {pair.other} agree on {pair.agreed.hits} of {pair.agreed.total} facts, " + (
            f"{said(pair.agreed)}; Cohen's kappa {_estimate(pair.kappa)}"
        )


def said(share: Proportion) -> str:
    """`90.0 %  84.5 – 93.7 %`"""
    if share.value is None or share.low is None or share.high is None:
        return "–"
    return f"{100 * share.value:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f})"


def _estimate(found: Estimate) -> str:
    if found.value is None:
        return "cannot be told, as both say the same of all"
    interval = f" ({found.low:.2f} to {found.high:.2f})" if found.low is not None and found.high is not None else ""
    return f"{found.value:.2f}{interval}"

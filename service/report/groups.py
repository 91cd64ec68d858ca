"""What groups learn from: the parts of their advantages, and how these move with the weight of perception."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from perception_reward.service.report.runs import SPREAD, Rollout, Run

Numbers: TypeAlias = NDArray[np.float64]
# Weights of perception that are tried, and groups that are looked at for it.
LAMBDAS = tuple(round(0.1 * place, 1) for place in range(21))
MOST_GROUPS = 5_000


@dataclass(frozen=True, slots=True)
class Attribution:
    """share: of the advantages' variance, by component; they add up to 1. flat: groups without spread."""

    groups: int
    flat: int
    share: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Figures of one weight of perception, against the weight in force, as shares.

    reordered: of the pairs of a group that the scores tell apart, those whose order turns. other_best: of the groups,
    those whose best is another. perception: of the advantages' variance. wrong_first: of the pairs of a right and a
    wrong answer, those where the wrong one scores higher. flat: of the groups, those without spread.
    """

    weight: float
    reordered: float
    other_best: float
    perception: float
    wrong_first: float | None
    flat: float


def attribution(run: Run) -> Attribution | None:
    """None without groups. A component's share is its covariance with the score over the score's variance."""
    if not run.groups:
        return None
    sums, total, flat = dict.fromkeys(run.components, 0.0), 0, 0
    for members in run.groups.values():
        parts = _parts(run, members)
        score = parts.sum(axis=0)
        variance = float(score.var())
        if variance <= SPREAD**2:
            flat += 1
            continue
        total += 1
        for name, part in zip(run.components, parts, strict=True):
            sums[name] += float(((part - part.mean()) * (score - score.mean())).mean()) / variance
    return Attribution(len(run.groups), flat, {name: value / total if total else 0.0 for name, value in sums.items()})


def advantage_parts(run: Run, one: Rollout) -> dict[str, float] | None:
    """What each component adds to a rollout's advantage; None outside a group, or in one without spread."""
    members = run.groups.get(one.group) if one.group is not None and one.score is not None else None
    if members is None:
        return None
    parts = _parts(run, members)
    spread = float(parts.sum(axis=0).std())
    if spread <= SPREAD:
        return None
    means, own = parts.mean(axis=1), run.parts(one)
    return {name: (own[name] - float(mean)) / spread for name, mean in zip(run.components, means, strict=True)}


def sensitivity(run: Run, current: float) -> list[Sensitivity]:
    """How rankings and advantages move with the weight of perception. Empty where no group has perception.

    Of more than `MOST_GROUPS` groups, so many are looked at, evenly chosen.
    """
    if "perception" not in run.components:
        return []
    every = max(1, len(run.groups) // MOST_GROUPS)
    groups = [_Group(run, members) for members in islice(run.groups.values(), 0, None, every)]
    groups = [group for group in groups if np.any(group.perception)]
    if not groups:
        return []
    weights = sorted({*LAMBDAS, round(current, 3)})
    return [_at(weight, current, groups) for weight in weights]


class _Group:
    """The scores of a group without perception, and its perception."""

    def __init__(self, run: Run, members: Sequence[Rollout]) -> None:
        parts = _parts(run, members)
        self.perception = np.array([one.row.value("perception") or 0.0 for one in members])
        self.rest = parts.sum(axis=0) - parts[run.components.index("perception")]
        self.right = np.array([(one.row.value("accuracy") or 0.0) >= 0.5 for one in members])

    def scores(self, weight: float) -> Numbers:
        return self.rest + weight * self.perception


def _at(weight: float, current: float, groups: Sequence[_Group]) -> Sensitivity:
    reordered = told = other = flat = wrong = mixed = spreads = 0
    shares = 0.0
    for group in groups:
        now, then = group.scores(current), group.scores(weight)
        before, after = (np.sign(np.round(one[:, None] - one[None, :], 9)) for one in (now, then))
        told += int((before > 0).sum())
        reordered += int(((before > 0) & (after < 0)).sum())
        other += not bool((then[now >= now.max() - SPREAD] >= then.max() - SPREAD).any())
        variance = float(then.var())
        if variance <= SPREAD**2:
            flat += 1
        else:
            spreads += 1
            seen = weight * (group.perception - group.perception.mean())
            shares += float((seen * (then - then.mean())).mean()) / variance
        pairs = after[np.ix_(group.right, ~group.right)]
        mixed += pairs.size
        wrong += int((pairs < 0).sum())
    return Sensitivity(
        weight=weight,
        reordered=reordered / told if told else 0.0,
        other_best=other / len(groups),
        perception=shares / spreads if spreads else 0.0,
        wrong_first=wrong / mixed if mixed else None,
        flat=flat / len(groups),
    )


def _parts(run: Run, members: Sequence[Rollout]) -> Numbers:
    """Shape (components, members)."""
    return np.array([[*run.parts(one).values()] for one in members], dtype=np.float64).T

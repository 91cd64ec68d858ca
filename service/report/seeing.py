"""Seeing against answering: the four quadrants, and how many of the wrong answers saw wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from perception_reward.service.report.compare import Rule
from perception_reward.service.report.runs import Rollout, Run
from perception_reward.service.statistics.shares import design_effect, wilson

Quadrant: TypeAlias = Literal["both", "lucky", "saw", "neither"]
# In the order in which they are shown.
QUADRANTS: dict[Quadrant, str] = {
    "both": "right answer, right seeing",
    "lucky": "right answer, wrong seeing",
    "saw": "wrong answer, right seeing",
    "neither": "wrong answer, wrong seeing",
}


@dataclass(frozen=True, slots=True)
class Errors:
    """Of the wrong answers of a part of a run, those that saw wrong, with Wilson's interval on problems' worth."""

    name: str
    wrong: int
    misseen: int
    share: float
    low: float
    high: float


def quadrant(one: Rollout, rule: Rule) -> Quadrant | None:
    """None where accuracy or perception is not known."""
    answered, saw = rule.right("answer", one.row), rule.right("perception", one.row)
    if answered is None or saw is None:
        return None
    return ("both" if saw else "lucky") if answered else ("saw" if saw else "neither")


def perception_errors(run: Run, rule: Rule, by: str | None) -> list[Errors]:
    """For the run, and for each of its benchmarks or models where `by` names the field that tells them apart."""
    wrong: defaultdict[str, list[tuple[bool, object]]] = defaultdict(list)
    for one in run.rollouts:
        if (where := quadrant(one, rule)) in ("saw", "neither"):
            unit = one.group[1] if one.group is not None else one.row.id or one.row.place
            for name in {"", (one.row.field(by) or "–") if by else ""}:
                wrong[name].append((where == "neither", unit))
    return [_errors(f"{run.label}, {name}" if name else run.label, found) for name, found in sorted(wrong.items())]


def _errors(name: str, found: Sequence[tuple[bool, object]]) -> Errors:
    hits, units = [hit for hit, _ in found], [unit for _, unit in found]
    share = sum(hits) / len(hits)
    low, high = wilson(share, len(hits) / design_effect(hits, units))
    return Errors(name, len(hits), sum(hits), share, low, high)

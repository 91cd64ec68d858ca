"""The perception share: how much of what the image shows a response says.

`Σ weight·[stated] / Σ weight` over the *stored* present facts, never over what a judge happened to print: the
visual perception reward of Perception-R1 (arXiv 2506.07218), with weights. Only facts seen in the image count, unless
a profile says otherwise: what the question gives, a response can copy. Costs are an addition: without one for false
statements, a response that names every possible value states every fact. A profile may set them to 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from pydantic import Field, model_validator
from typing_extensions import Self

from perception_reward.service.judges.base import Missing, Outcome
from perception_reward.trainer_client.wire import Fact, Origin, WireModel


class PerceptionRule(WireModel):
    """How verdicts become one share. The defaults are the paper's share, of seen facts alone and without any cost."""

    contradiction_cost: float = Field(
        default=0.0,
        ge=0.0,
        le=1000.0,
        description="What contradicting a present fact costs, times its weight.",
    )
    distractor_cost: float = Field(
        default=0.0, ge=0.0, le=1000.0, description="What stating a distractor costs, times its weight."
    )
    seen: float = Field(default=1.0, ge=0.0, le=1000.0, description="The weight of facts seen in the image.")
    derived: float = Field(default=0.0, ge=0.0, le=1000.0, description="The weight of facts that reasoning derives.")
    given: float = Field(default=0.0, ge=0.0, le=1000.0, description="The weight of facts that the question gives.")
    share: Literal["facts", "origins"] = Field(
        default="facts",
        description="`facts`: one share of all. `origins`: the mean of a share of each origin that has weight.",
    )
    probabilities: bool = Field(default=False, description="Count the probability of `stated` instead of 1 or 0.")
    levels: tuple[float, float] | None = Field(
        default=None, description="(low, high): a share counts 1 from high, 0.5 from low, else 0."
    )
    floor: float = Field(default=-1.0, ge=-1.0, le=0.0, description="The share never falls below this.")

    @model_validator(mode="after")
    def _levels_rise(self) -> Self:
        if self.levels is not None and not self.levels[0] <= self.levels[1]:
            raise ValueError(f"levels are (low, high), and {self.levels[0]} is above {self.levels[1]}")
        return self

    def origin_weight(self, origin: Origin) -> float:
        return self.seen if origin == "seen" else self.derived if origin == "derived" else self.given

    def weight(self, fact: Fact) -> float:
        return fact.weight * self.origin_weight(fact.origin)


# A fact that counts, what came of it, and its weight.
Counted: TypeAlias = tuple[Fact, Outcome, float]


def perception_share(
    facts: Sequence[Fact], outcomes: Sequence[Outcome], rule: PerceptionRule
) -> float | Missing | None:
    """The share in [rule.floor, 1], hence in [-1, 1]. `outcomes` holds one outcome per fact, in order.

    None where no present fact has weight, such as where the question gives all. `Missing` where an outcome that counts
    is missing, with its reason: a distractor counts only if it has a cost.

    A stated distractor is set against the weight of the present facts, so one false statement takes back one
    true statement of the same weight, however many distractors an annotation has.
    """
    counted = [
        (fact, outcome, weight)
        for fact, outcome in zip(facts, outcomes, strict=True)
        if (weight := rule.weight(fact)) > 0 and (fact.polarity == "present" or rule.distractor_cost > 0)
    ]
    gathered = 0.0
    weights = 0.0
    for group, weight in _groups(counted, rule):
        share = _share(group, rule)
        if isinstance(share, Missing):
            return share
        gathered += weight * share
        weights += weight
    return max(rule.floor, min(1.0, gathered / weights)) if weights > 0 else None


def _groups(counted: Sequence[Counted], rule: PerceptionRule) -> list[tuple[Sequence[Counted], float]]:
    """The facts that make up one share each, with the share's weight. A group has at least one present fact.

    An origin without facts has no share, so that full marks are 1 with either or both.
    """
    if rule.share == "facts":
        groups = [(counted, 1.0)]
    else:
        groups = [
            ([one for one in counted if one[0].origin == origin], rule.origin_weight(origin))
            for origin in get_args(Origin)
        ]
    return [(group, weight) for group, weight in groups if any(fact.polarity == "present" for fact, _, _ in group)]


def _share(counted: Sequence[Counted], rule: PerceptionRule) -> float | Missing:
    gained = 0.0
    total = 0.0
    for fact, verdict, weight in counted:
        if isinstance(verdict, Missing):
            return verdict
        stated = verdict.probability if rule.probabilities else float(verdict.label == "stated")
        if fact.polarity == "distractor":
            gained -= rule.distractor_cost * weight * stated
            continue
        total += weight
        gained += weight * stated
        if verdict.label == "contradicted":
            gained -= rule.contradiction_cost * weight
    return _level(gained / total, rule.levels)


def _level(share: float, levels: tuple[float, float] | None) -> float:
    if levels is None:
        return share
    low, high = levels
    return 1.0 if share >= high else 0.5 if share >= low else 0.0

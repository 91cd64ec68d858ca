"""A component of the reward: one number that a response earns, and all that the service has to know of it.

    from perception_reward.service.rewards.component import Component, Sample

    def brevity(sample: Sample) -> float:
        return -min(1.0, len(sample.text) / 4000)

    BREVITY = Component("brevity", "What a long response costs.", (-1.0, 0.0), brevity)

A package of yours registers it by an entry point, and profiles then weigh it by its name: see README.md.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from perception_reward.service.judges.base import Missing, Outcome
from perception_reward.service.rewards.perception import PerceptionRule
from perception_reward.trainer_client.reference import Answer
from perception_reward.trainer_client.tokens import Opened
from perception_reward.trainer_client.wire import Fact, ScoreItem

Mode: TypeAlias = Literal["default", "parity"]
Value: TypeAlias = float | Missing | None
Need: TypeAlias = Literal["text", "grade", "verdicts"]
"""What has to be known for a component.

`text`: the response alone. Its value is kept for responses that come again, so it may depend on nothing else.
`grade`: whether the answer is right. `verdicts`: what the judge says of each fact.
"""

DEFAULT_RULE = PerceptionRule()

RESERVED = frozenset({"score", "reward", "overall", "acc", "missing"})
"""What trainers call other numbers that stand beside the components."""

logger = logging.getLogger(__name__)
_name = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a component is computed from: one response, and what was found out about it.

    text: the response, without control tokens at its ends. opened: the tag that the prompt had written of it.
    mode: `parity` where components are to be what the public reference code computes.
    item: as it was sent. reference: the right answer, the item's own or its annotation's; None where there is none.
    grade: whether the answer is right; None where the response holds none that could be, or there is no reference.
    facts, outcomes: the facts and, for each, what the judge says of it. rule: how the profile counts them.

    What a component's `needs` does not name is not there: None, or empty.
    """

    text: str
    opened: Opened = ""
    mode: Mode = "default"
    item: ScoreItem | None = None
    reference: Answer | None = None
    grade: bool | Missing | None = None
    facts: Sequence[Fact] = ()
    outcomes: Sequence[Outcome] = ()
    rule: PerceptionRule = DEFAULT_RULE


@dataclass(frozen=True, slots=True)
class Component:
    """One component, by its name in profiles, results, metrics and logs.

    description: one sentence. bounds: the least and the greatest value. compute: the value of a sample; None where it
    does not apply, and `Missing` where it could not be determined. It runs between requests, on the event loop, and
    takes a millisecond at most. Raises `ValueError` for a name or bounds that cannot be.
    """

    name: str
    description: str
    bounds: tuple[float, float]
    compute: Callable[[Sample], Value]
    needs: Need = "text"

    def __post_init__(self) -> None:
        if not _name.fullmatch(self.name) or self.name in RESERVED:
            raise ValueError(
                f"a component cannot be called {self.name!r}: letters, digits and _, and none of "
                f"{', '.join(sorted(RESERVED))}"
            )
        low, high = self.bounds
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError(f"component {self.name!r}: bounds are two finite numbers, the lower one first")

    def of(self, sample: Sample) -> Value:
        """`compute`, whose exceptions and impossible values are missing: they cost no other item its score."""
        try:
            value = self.compute(sample)
        except Exception as error:
            logger.error("component %r failed with %s", self.name, type(error).__name__)
            return Missing("component_failed")
        if value is None or isinstance(value, Missing):
            return value
        low, high = self.bounds
        # A package of somebody else may give anything.
        if isinstance(value, int | float) and low <= value <= high:  # pyright: ignore[reportUnnecessaryIsInstance]
            return float(value)
        logger.error("component %r gave a value outside of its bounds %s", self.name, self.bounds)
        return Missing("component_failed")

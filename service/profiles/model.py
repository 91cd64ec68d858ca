"""A profile: named settings that turn the components of a reward into one score."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Tag, computed_field

from perception_reward.service.rewards.component import Mode
from perception_reward.service.rewards.perception import PerceptionRule
from perception_reward.trainer_client.reference import Tolerance
from perception_reward.trainer_client.wire import Fact, WireModel

# Far above any sensible weight; it keeps every score finite.
Factor = Annotated[float, Field(ge=-1000.0, le=1000.0)]


class Ramp(WireModel):
    """A weight that goes from `start` to `end` in a straight line over the first `steps` training steps."""

    start: Factor
    end: Factor
    steps: int = Field(ge=1)

    def at(self, step: int | None) -> float:
        """The weight at a step, counted from 0. Without a step it is `end`, as after training."""
        if step is None or step >= self.steps:
            return self.end
        return self.start + (self.end - self.start) * max(step, 0) / self.steps


def _kind(weight: Any) -> str:
    return "ramp" if isinstance(weight, dict | Ramp) else "number"


Weight: TypeAlias = Annotated[Annotated[Factor, Tag("number")] | Annotated[Ramp, Tag("ramp")], Discriminator(_kind)]


class Gate(WireModel):
    """`gated` counts only where `component` is above `threshold`; a null `component` leaves the gate open."""

    component: str = "perception"
    threshold: Factor = 0.0
    gated: str = "accuracy"


class Profile(WireModel):
    """How components become one score: `Σ weight · component`, after the gate.

    weights: by component, a number or a ramp. One with weight 0 is computed and told, and pays nothing.
    mode: `default`, or `parity` for components that are computed as the public reference code does.
    tolerance: how far a number may be off, relative to the reference, where neither item nor request says it.
    """

    name: str = Field(min_length=1, max_length=64)
    description: str = ""
    weights: dict[str, Weight]
    perception: PerceptionRule = PerceptionRule()
    gate: Gate | None = None
    mode: Mode = "default"
    tolerance: Tolerance = 0.0

    @computed_field
    @property
    def formula(self) -> str:
        """The score as people write it: `0.1·format + 0.9·accuracy + 0.7·perception + 1·repetition`."""
        terms = [self._term(component) for component in self.weights]
        return " + ".join(term for term in terms if term)

    @property
    def components(self) -> tuple[str, ...]:
        """The components of its results: those with a weight, and what its gate names."""
        gate = () if self.gate is None else (self.gate.component, self.gate.gated)
        return tuple(dict.fromkeys((*self.weights, *gate)))

    def weight(self, component: str, step: int | None) -> float:
        """Its weight at a training step; 0 where it has none."""
        weight = self.weights.get(component, 0.0)
        return weight.at(step) if isinstance(weight, Ramp) else weight

    def pays(self, fact: Fact) -> bool:
        """Whether a response that states it earns a reward for it. The public reference code pays for every fact."""
        weighed = self.mode == "parity" or self.perception.weight(fact) > 0
        return fact.polarity == "present" and weighed and self.weights.get("perception", 0.0) != 0.0

    def _term(self, component: str) -> str:
        weight = self.weights[component]
        if weight == 0.0:
            return ""
        factor = f"({weight.start:g}…{weight.end:g})" if isinstance(weight, Ramp) else f"{weight:g}"
        term = f"{factor}·{component}"
        if self.gate is not None and self.gate.gated == component:
            term += f"·[{self.gate.component} > {self.gate.threshold:g}]"
        return term

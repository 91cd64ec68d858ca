"""Observations made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perception_reward.service.audit.probes import Observation, Probe, Purpose, probe
from perception_reward.service.judges.base import Missing, Outcome, Verdict
from perception_reward.trainer_client.wire import Fact, Label, Reason

LENGTH = Fact(id="f1", text="Segment AB has length 5.", kind="length")


def observation(
    expected: Label | None,
    judged: Label | Reason,
    probability: float | None = None,
    *,
    purpose: Purpose = "generated",
    family: str = "plain",
    problem: str | None = None,
    base: Observation | None = None,
    response: str = "AB = 5",
    kind: str = "length",
    text: str = LENGTH.text,
    contradiction: float | None = None,
    certainty: float = 1.0,
    span: tuple[int, int] | None = None,
    unasked: bool = False,
) -> Observation:
    """What a judge said to a probe; `judged` is a verdict's label or the reason why there is none."""
    fact = LENGTH.model_copy(update={"kind": kind, "text": text})
    asked: Probe = probe(purpose, family, fact, response, expected, problem=problem, base=base.probe if base else None)
    outcome: Outcome
    if judged in ("stated", "contradicted", "absent"):
        value = (0.9 if judged == "stated" else 0.1) if probability is None else probability
        outcome = Verdict(judged, value, span, certainty, contradiction, stage="evidence" if unasked else "model")
    else:
        outcome = Missing(judged)
    return Observation(asked, outcome)


@pytest.fixture
def seen() -> Callable[..., Observation]:
    """`seen("stated", "absent", 0.2)`: stated by right, judged absent, probability of stated 0.2."""
    return observation

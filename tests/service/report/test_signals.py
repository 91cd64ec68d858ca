"""Signs of reward hacking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.report.rows import row_of
from perception_reward.service.report.runs import Run, run_of
from perception_reward.service.report.signals import Signal, signals

PLAIN = "AB has length 5, so x = 5."


def run(make: Callable[[int], dict[str, Any]]) -> Run:
    rows: list[Any] = []
    for n in range(60):
        fields = {"accuracy": 1.0, "perception": 0.5, "repetition": 0.0, "response": PLAIN, "step": n // 10, **make(n)}
        parts = {name: fields.pop(name) for name in ("accuracy", "perception", "repetition")}
        rows.append(row_of("r", n, {"id": str(n), "score": sum(parts.values()), "components": parts, "extra": fields}))
    return run_of("r", rows, load_profiles()["perception-r1"])


def found(made: Run) -> dict[str, Signal]:
    return {one.name: one for one in signals(made)}


def test_ordinary_rollouts_concern_nobody():
    assert [one.name for one in signals(run(lambda n: {"accuracy": n % 2, "group": str(n // 4)})) if one.concern] == []


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("long", lambda n: {"response": PLAIN * (20 if n < 5 else 1)}),
        ("repeats", lambda n: {"repetition": -1.0 if n < 5 else 0.0}),
        ("lists", lambda n: {"response": " ".join(map(str, range(50))) if n < 5 else PLAIN}),
        ("saturated", lambda n: {"perception": 1.0}),
        ("flat", lambda n: {"group": str(n // 4)}),
    ],
)
def test_a_sign_is_told_and_its_rollouts_are_marked(name: str, make: Callable[[int], dict[str, Any]]):
    made = run(make)
    sign = found(made)[name]
    assert sign.concern
    assert sign.rollouts == sum(name in one.flags for one in made.rollouts) > 0


def test_perception_that_rises_while_accuracy_falls_is_told():
    sign = found(run(lambda n: {"perception": n / 60, "accuracy": float(n < 30)}))["diverging"]
    assert sign.concern
    assert "accuracy from 1.000 to 0.000" in sign.said


def test_longer_responses_over_the_steps_are_told():
    assert found(run(lambda n: {"response": PLAIN * (1 + n // 20)}))["long"].concern

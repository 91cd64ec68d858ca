"""The symbolic judge on worded facts of every kind: a small draw from the benchmark's phrasings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perception_reward.service.judges.symbolic.judge import decide_all

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def statements() -> Callable[..., list[Any]]:
    """The benchmark's `statements` function; its folder is on the path only while it is imported."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import statements as module
    finally:
        sys.path.remove(str(BENCHMARKS))
    return module.statements


# What the rules reach on wordings that were read while they were written, and on wordings that were not, less the
# draw's chance: raise a floor when the benchmark's figures rise.
FLOORS = {"tune": 0.97, "held_out": 0.92}


@pytest.mark.parametrize("half", ["tune", "held_out"])
def test_nearly_all_worded_facts_are_judged_right(half: str, statements: Callable[..., list[Any]]) -> None:
    samples = statements(half, per_kind=21, seed=5)
    right = sum(decide_all(sample.response, [sample.fact])[0].label == sample.label for sample in samples)
    assert right / len(samples) >= FLOORS[half]


@pytest.mark.parametrize("half", ["tune", "held_out"])
def test_hardly_any_unstated_fact_is_taken_for_stated(half: str, statements: Callable[..., list[Any]]) -> None:
    samples = [sample for sample in statements(half, per_kind=21, seed=6) if sample.label != "stated"]
    wrong = sum(decide_all(sample.response, [sample.fact])[0].label == "stated" for sample in samples)
    assert wrong / len(samples) <= 0.02

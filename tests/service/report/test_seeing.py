"""Quadrants and perception errors."""

from __future__ import annotations

import pytest

from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.report.compare import Rule
from perception_reward.service.report.rows import row_of
from perception_reward.service.report.runs import Run, run_of
from perception_reward.service.report.seeing import perception_errors, quadrant
from perception_reward.service.statistics.shares import wilson


def run(*rows: tuple[float | None, float | None, str]) -> Run:
    made = [
        row_of("r", n, {"id": str(n), "score": 1.0, "accuracy": a, "perception": p, "extra": {"bench": bench}})
        for n, (a, p, bench) in enumerate(rows)
    ]
    return run_of("r", made, load_profiles()["perception-r1"], keep=["bench"])


def test_a_rollout_is_in_one_of_four_or_in_none():
    found = run((1, 1, ""), (1, 0, ""), (0, 1, ""), (0, 0, ""), (None, 1, ""), (1, None, ""))
    assert [quadrant(one, Rule()) for one in found.rollouts] == ["both", "lucky", "saw", "neither", None, None]


def test_of_the_wrong_answers_those_that_saw_wrong_are_counted_by_benchmark():
    found = perception_errors(run((0, 0, "x"), (0, 0, "x"), (0, 1, "x"), (0, 1, "y"), (1, 0, "y")), Rule(), "bench")
    assert [(one.name, one.misseen, one.wrong) for one in found] == [("r", 2, 4), ("r, x", 2, 3), ("r, y", 0, 1)]
    # Independent answers have a design effect of n / (n - 1).
    assert (found[0].low, found[0].high) == pytest.approx(wilson(0.5, 3.0))

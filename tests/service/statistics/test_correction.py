"""Shares corrected by a judge's known errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numpy")

import numpy as np

from perception_reward.service.statistics.correction import Errors, Uninformative, corrected, corrected_change
from perception_reward.service.statistics.paired import Interval


def test_a_judge_without_errors_leaves_a_share_as_it_is():
    found = corrected(0.6, 10_000, Errors(1.0, 1e6, 1.0, 1e6))
    assert found.value == pytest.approx(0.6)
    assert (found.low, found.high) == pytest.approx((0.5904, 0.6096), abs=1e-3)


def test_the_estimate_is_that_of_rogan_and_gladen():
    """Their own formula: (apparent + specificity - 1) / (sensitivity + specificity - 1)."""
    assert corrected(0.3, 100, Errors(0.9, 50, 0.8, 50)).value == pytest.approx(0.1 / 0.7)
    assert corrected(0.1, 100, Errors(0.9, 50, 0.8, 50)).value == 0.0


@pytest.mark.parametrize(("true", "sensitivity", "specificity"), [(0.5, 0.9, 0.95), (0.1, 0.8, 0.9), (0.85, 0.95, 0.7)])
def test_the_interval_covers_the_true_share_as_often_as_it_says(true: float, sensitivity: float, specificity: float):
    random, covered, times = np.random.default_rng(1), 0, 2000
    apparent = true * sensitivity + (1 - true) * (1 - specificity)
    for _ in range(times):
        errors = Errors(random.binomial(120, sensitivity) / 120, 120, random.binomial(150, specificity) / 150, 150)
        found = corrected(random.binomial(300, apparent) / 300, 300, errors)
        covered += found.low <= true <= found.high
    assert 0.93 <= covered / times <= 0.985


def test_the_interval_of_a_change_covers_the_true_one_as_often_as_it_says():
    random, covered, times = np.random.default_rng(2), 0, 2000
    for _ in range(times):
        errors = Errors(random.binomial(150, 0.85) / 150, 150, random.binomial(150, 0.9) / 150, 150)
        before, after = (random.binomial(400, share * 0.85 + (1 - share) * 0.1) / 400 for share in (0.4, 0.6))
        half = 1.96 * ((before * (1 - before) + after * (1 - after)) / 400) ** 0.5
        found = corrected_change(Interval(after - before, after - before - half, after - before + half), errors)
        covered += found.low <= 0.2 <= found.high
    assert 0.93 <= covered / times <= 0.975


@given(st.floats(0, 1), st.integers(1, 1000), st.floats(0.51, 1), st.floats(0.5, 1), st.integers(1, 500))
def test_a_corrected_share_and_its_interval_stay_in_range(
    share: float, size: int, sensitivity: float, specificity: float, labels: int
):
    found = corrected(share, size, Errors(sensitivity, labels, specificity, labels))
    assert 0 <= found.low <= found.high <= 1
    assert 0 <= found.value <= 1


def test_a_judge_that_tosses_a_coin_corrects_nothing():
    with pytest.raises(Uninformative, match="no better than chance"):
        corrected(0.5, 100, Errors(0.5, 100, 0.5, 100))
    with pytest.raises(Uninformative):
        corrected_change(Interval(0.1, 0.0, 0.2), Errors(0.4, 100, 0.5, 100))

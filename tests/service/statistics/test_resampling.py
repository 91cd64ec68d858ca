"""The change of a mean over problems."""

from __future__ import annotations

import pytest

pytest.importorskip("scipy")

import numpy as np
from scipy.stats import ttest_rel

from perception_reward.service.statistics import resampling
from perception_reward.service.statistics.resampling import mean_change


@pytest.mark.parametrize("problems", [200, 5000])
def test_for_many_problems_interval_and_p_are_those_of_the_paired_t_test(problems: int):
    random = np.random.default_rng(3)
    before = random.normal(size=problems)
    after = before + random.normal(0.05, 0.5, size=problems)
    found, expected = mean_change(list(before), list(after)), ttest_rel(after, before)
    low, high = expected.confidence_interval(0.95)
    assert found.value == pytest.approx(float((after - before).mean()))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.006)
    assert found.p == pytest.approx(expected.pvalue, abs=0.015)


def test_the_same_seed_gives_the_same_figures():
    before, after = [0.1, 0.5, 0.9, 0.2, 0.4, 0.4], [0.3, 0.4, 0.95, 0.5, 0.4, 0.7]
    assert mean_change(before, after, seed=4) == mean_change(before, after, seed=4)


def test_false_alarms_are_as_many_as_it_says(monkeypatch: pytest.MonkeyPatch):
    """400 comparisons of skewed rewards without any change."""
    monkeypatch.setattr(resampling, "RESAMPLES", 499)
    random = np.random.default_rng(5)
    alarms = outside = 0
    for _ in range(400):
        both = random.exponential(size=(2, 40))
        found = mean_change(list(both[0]), list(both[1]))
        alarms += found.p <= 0.05
        assert found.low is not None
        assert found.high is not None
        outside += not found.low <= 0 <= found.high
    # 20 expected; four standard deviations are 17.
    assert 3 <= alarms <= 37
    assert 3 <= outside <= 45


def test_what_cannot_be_told_is_not_told():
    one = mean_change([0.5], [1.0])
    assert (one.value, one.low, one.high, one.p) == (0.5, None, None, 1.0)
    same = mean_change([0.5, 1.0], [0.5, 1.0])
    assert (same.value, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="no problems"):
        mean_change([], [])

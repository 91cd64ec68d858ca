"""Holm's correction."""

from __future__ import annotations

import pytest

pytest.importorskip("statsmodels")

import numpy as np

from perception_reward.service.statistics.several import holm


def test_each_p_value_is_multiplied_by_how_many_are_left():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.02]) == pytest.approx([0.02])
    assert holm([]) == []


def test_a_family_without_effects_alarms_only_where_its_least_p_does_after_bonferroni():
    """So that of independent tests 1 - (1 - 0.05/5)^5 = 4.9 % of families have a false alarm."""
    random = np.random.default_rng(7)
    for family in random.uniform(0, 0.2, size=(12, 5)):
        assert (min(holm(list(family))) <= 0.05) == (min(family) <= 0.01)

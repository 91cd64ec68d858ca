"""McNemar's test and the difference of paired shares, against the libraries and against what was published."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy")
pytest.importorskip("statsmodels")

import numpy as np
from scipy.stats import binom, binomtest, chi2, multinomial
from statsmodels.stats.contingency_tables import mcnemar as reference

from perception_reward.service.statistics.paired import Pairs, difference, holm, mcnemar

COUNTS = st.integers(0, 40)


@pytest.mark.parametrize(("lost", "gained", "p"), [(1, 5, 0.22), (2, 4, 0.69), (2, 10, 0.04), (5, 1, 0.22)])
def test_the_p_values_of_the_perception_r1_paper_come_out(lost: int, gained: int, p: float):
    assert round(mcnemar(Pairs(both=20, lost=lost, gained=gained, neither=20)).exact, 2) == p


@settings(max_examples=60, deadline=None)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_exact_p_values_are_those_of_statsmodels_and_of_the_binomial_test(both: int, lost: int, gained: int, not_: int):
    found = mcnemar(Pairs(both, lost, gained, not_))
    assert found.exact == pytest.approx(min(1.0, reference([[both, lost], [gained, not_]], exact=True).pvalue))
    if lost + gained:
        assert found.exact == pytest.approx(binomtest(lost, lost + gained).pvalue)
    assert 0 < found.mid_p <= found.exact


def test_without_a_discordant_problem_nothing_is_found():
    assert (mcnemar(Pairs(7, 0, 0, 3)).exact, mcnemar(Pairs(7, 0, 0, 3)).mid_p) == (1.0, 1.0)


@pytest.mark.parametrize("discordant", [6, 11, 30, 100])
def test_false_alarms_of_the_exact_test_keep_to_their_level_and_of_mid_p_come_near_it(discordant: int):
    """All that can be seen of so many discordant problems without effect, each with its chance."""
    chances = binom.pmf(np.arange(discordant + 1), discordant, 0.5)
    found = [mcnemar(Pairs(0, lost, discordant - lost, 0)) for lost in range(discordant + 1)]
    exact = sum(chance for chance, one in zip(chances, found, strict=True) if one.exact <= 0.05)
    mid_p = sum(chance for chance, one in zip(chances, found, strict=True) if one.mid_p <= 0.05)
    assert exact <= 0.05
    assert exact <= mid_p <= 0.066


@settings(max_examples=60, deadline=None)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_interval_holds_the_difference_and_zero_where_the_score_test_finds_nothing(
    both: int, lost: int, gained: int, neither: int
):
    pairs = Pairs(both, lost, gained, neither)
    if not pairs.problems:
        with pytest.raises(ValueError, match="no problems"):
            difference(pairs)
        return
    found = difference(pairs)
    assert -1 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= 1
    mirrored = difference(Pairs(both, gained, lost, neither))
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-6)
    if pairs.discordant:
        statistic = (gained - lost) ** 2 / (gained + lost)
        limit = chi2.ppf(0.95, 1)
        if abs(statistic - limit) > 1e-6:
            assert (found.low < 0 < found.high) == (statistic < limit)


def test_few_problems_and_none_discordant_have_the_width_of_tangos_interval():
    """Without a discordant pair the score interval is that of 0 of n: z²/(n + z²) to either side."""
    z2 = chi2.ppf(0.95, 1)
    found = difference(Pairs(10, 0, 0, 0))
    assert (found.low, found.value, found.high) == pytest.approx((-z2 / (10 + z2), 0.0, z2 / (10 + z2)), abs=1e-6)


@pytest.mark.parametrize(("lost", "gained"), [(0.05, 0.05), (0.02, 0.20), (0.10, 0.30), (0.0, 0.1)])
def test_the_interval_covers_the_true_difference_as_often_as_it_says(lost: float, gained: float):
    """Summed over all that 25 problems can show."""
    problems, covered = 25, 0.0
    for more in range(problems + 1):
        for fewer in range(problems + 1 - more):
            rest = problems - more - fewer
            chance = multinomial.pmf([more, fewer, rest], problems, [gained, lost, 1 - gained - lost])
            if chance > 1e-7:
                found = difference(Pairs(rest, fewer, more, 0))
                covered += chance * (found.low <= gained - lost <= found.high)
    assert 0.93 < covered <= 1.0


def test_pairs_are_counted_from_outcomes():
    outcomes = [(True, True), (True, False), (False, True), (False, True), (False, False)]
    assert Pairs.of(outcomes) == Pairs(both=1, lost=1, gained=2, neither=1)
    assert math.isclose(difference(Pairs.of(outcomes)).value, 0.2)


def test_each_p_value_is_multiplied_by_how_many_are_left():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.02]) == pytest.approx([0.02])
    assert holm([]) == []


def test_a_family_without_effects_alarms_only_where_its_least_p_does_after_bonferroni():
    """So that of independent tests 1 - (1 - 0.05/5)^5 = 4.9 % of families have a false alarm."""
    random = np.random.default_rng(7)
    for family in random.uniform(0, 0.2, size=(12, 5)):
        assert (min(holm(list(family))) <= 0.05) == (min(family) <= 0.01)

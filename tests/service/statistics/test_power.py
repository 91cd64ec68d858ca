"""Planning: the power that is promised is the power that the test has."""

from __future__ import annotations

import pytest

pytest.importorskip("scipy")
pytest.importorskip("statsmodels")

import numpy as np

from perception_reward.service.statistics.paired import Pairs, mcnemar
from perception_reward.service.statistics.power import power, problems_needed, smallest_change


@pytest.mark.parametrize(("gained", "lost", "problems"), [(0.1, 0.04, 200), (0.3, 0.1, 40), (0.05, 0.0, 100)])
def test_the_power_is_what_trials_find(gained: float, lost: float, problems: int):
    random, times = np.random.default_rng(0), 3000
    seen = random.multinomial(problems, [gained, lost, 1 - gained - lost], size=times)
    found = sum(mcnemar(Pairs(int(rest), int(down), int(up), 0)).mid_p <= 0.05 for up, down, rest in seen) / times
    # Four standard deviations of 3,000 trials.
    assert power(gained=gained, lost=lost, problems=problems) == pytest.approx(found, abs=0.037)


def test_without_a_difference_the_power_is_the_level():
    assert power(gained=0.1, lost=0.1, problems=300) == pytest.approx(0.05, abs=0.01)


def test_the_problems_needed_have_the_power_and_half_of_them_have_not():
    needed = problems_needed(gained=0.10, lost=0.04, power=0.8)
    assert needed is not None
    assert power(gained=0.10, lost=0.04, problems=needed) >= 0.8
    assert power(gained=0.10, lost=0.04, problems=needed // 2) < 0.6
    # The usual formula (Connor 1987) for the same case.
    assert needed == pytest.approx((1.96 * 0.14**0.5 + 0.8416 * (0.14 - 0.06**2) ** 0.5) ** 2 / 0.06**2, rel=0.05)


def test_no_number_of_problems_shows_what_is_not_there():
    assert problems_needed(gained=0.1, lost=0.1) is None
    assert power(gained=0.0, lost=0.0, problems=10) == 0.0


def test_the_smallest_change_has_the_power_and_a_smaller_one_has_not():
    found = smallest_change(changed=0.2, problems=300)
    assert found is not None
    assert power(gained=(0.2 + found) / 2, lost=(0.2 - found) / 2, problems=300) >= 0.8
    assert power(gained=(0.2 + found) / 2 - 0.01, lost=(0.2 - found) / 2 + 0.01, problems=300) < 0.8
    assert smallest_change(changed=0.2, problems=5) is None


def test_shares_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"gained, 0\.7, and lost, 0\.5"):
        power(gained=0.7, lost=0.5, problems=10)

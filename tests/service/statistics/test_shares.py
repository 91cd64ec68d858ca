"""Wilson's interval and the design effect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.statistics.shares import design_effect, library, wilson


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_is_that_of_statsmodels(hits: int, total: int):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    hits = min(hits, total)
    low, high = proportion.proportion_confint(hits, total, method="wilson")
    assert wilson(hits / total, total) == pytest.approx((low, high), abs=1e-12)


def test_units_that_agree_within_themselves_are_worth_one_observation_each():
    hits = [unit % 2 == 0 for unit in range(20) for _ in range(5)]
    units = [unit for unit in range(20) for _ in range(5)]
    assert design_effect(hits, units) == pytest.approx(5 * 20 / 19)
    assert design_effect(hits, range(100)) == pytest.approx(100 / 99)
    assert design_effect([True] * 5, range(5)) == 1.0


def test_a_missing_library_is_told_in_a_line_with_what_to_install():
    with pytest.raises(ImportError) as error:
        library("scipy_that_is_not_there.stats")
    assert str(error.value) == (
        "statistics need scipy and statsmodels (no module scipy_that_is_not_there): "
        "pip install 'perception-reward[report]'"
    )

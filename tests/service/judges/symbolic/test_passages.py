"""A response as sentences and table cells, indexed by their terms."""

from __future__ import annotations

from fractions import Fraction

from perception_reward.annotations.language.sentences import read
from perception_reward.service.judges.symbolic.passages import MOST_PASSAGES, Passages


def test_a_cell_stands_under_its_heading_and_beside_its_rows_name():
    units = Passages(read("| day | books |\n|---|---|\n| Monday | 40 |\n| Thursday | 60 |"))
    (at,) = units.places["number", Fraction(60)]
    assert {"book", "thursday"} <= {term.key for term in units.all[at].terms}
    assert "monday" not in {term.key for term in units.all[at].terms}


def test_what_is_beyond_the_bound_is_not_read_and_told():
    row = "|a" + "|1" * 300 + "|\n"
    units = Passages(read(row * (MOST_PASSAGES // 290)))
    assert (len(units.all), units.truncated) == (MOST_PASSAGES, True)

from __future__ import annotations

from fractions import Fraction

from perception_reward.annotations.language.unit_table import ATOMS


def test_prefixes_are_made_and_keep_their_case() -> None:
    assert ATOMS["mm"][1] * 1000 == ATOMS["m"][1] == ATOMS["km"][1] / 1000
    assert ATOMS["mW"][1] * 10**9 == ATOMS["MW"][1]
    assert ATOMS["kilojoule"] == ATOMS["kJ"]
    assert ATOMS["毫升"] == ATOMS["ml"]


def test_every_unit_is_worth_something() -> None:
    assert all(isinstance(factor, Fraction) and factor > 0 for _, factor in ATOMS.values())
    assert all(dimension == tuple(sorted(dimension)) for dimension, _ in ATOMS.values())

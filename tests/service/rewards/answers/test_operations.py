from __future__ import annotations

from fractions import Fraction

import mpmath  # pyright: ignore[reportMissingTypeStubs]
import pytest

from perception_reward.service.rewards.answers.operations import EXACT, OPERATIONS, NoValue

CONTEXT = mpmath.mp


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("/", (1, 0)), ("^", (0, 0)), ("^", (9, 10**9)), ("^", (2, 10**12)), ("!", (10**9,)), ("!", (-2,)),
        ("ln", (0,)),
        ("log", (5, 1)), ("sin", (mpmath.mpf(10) ** 100,)), ("binom", (10**9, 5)), ("gcd", (1.5, 2)),
        ("floor", (mpmath.mpf(10) ** 60,)),
    ],
)  # fmt: skip
def test_what_is_undefined_or_too_large_has_no_value(name: str, values: tuple[float, ...]) -> None:
    with pytest.raises(NoValue):
        OPERATIONS[name](CONTEXT, *map(CONTEXT.mpmathify, values))


def test_exact_operations_stay_within_their_bounds() -> None:
    assert EXACT["^"](Fraction(2, 3), Fraction(-2)) == Fraction(9, 4)
    assert EXACT["^"](Fraction(2), Fraction(10**6)) is None
    assert EXACT["sqrt"](Fraction(4, 9)) == Fraction(2, 3)
    assert EXACT["sqrt"](Fraction(2)) is None
    assert EXACT["!"](Fraction(5)) == 120
    assert EXACT["!"](Fraction(10**6)) is None

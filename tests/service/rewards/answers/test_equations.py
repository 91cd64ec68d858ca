from __future__ import annotations

import operator

import pytest

from perception_reward.service.rewards.answers.amounts import Amounts, NeedsAlgebra
from perception_reward.service.rewards.answers.equations import Equations

EQUATIONS = Equations(operator.eq, Amounts())


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("x=5", "5", True), ("5=x", "5", True), ("x=6", "5", False), ("y=5", "x=5", False), ("X=5", "x=5", True),
        ("5 = 6", "6", False), (r"7 \approx 5", "5", False), (r"12\pi \approx 37.7", r"12\pi", True),
        (r"12\pi \approx 38.7", r"12\pi", False), ("x+y=5", "y+x=5", True), ("2x+4y=8", "x+2y=4", True),
        ("2x+4y=9", "x+2y=4", False), ("x^2+y^2=16", "x^2+y^2=25", False), ("25", "x^2+y^2=25", False),
        ("5", "6", None),
    ],
)  # fmt: skip
def test_equalities(answer: str, reference: str, same: bool | None) -> None:
    assert EQUATIONS.equalities(answer, reference) is same


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("x>2", "x>2", True), ("x>2", "y>2", False), (r"x \ge 2", "x>2", False), ("1<x<2", "(1,2)", True),
        ("2x+3y<6", "6>3y+2x", True), ("2x+3y>6", "2x+3y<6", False), ("(1,2)", "(1,2)", None),
        ("[1,2)", "(1,2)", False),
    ],
)  # fmt: skip
def test_solutions(answer: str, reference: str, same: bool | None) -> None:
    assert EQUATIONS.solutions(answer, reference) is same


def test_equations_are_not_compared_without_algebra() -> None:
    with pytest.raises(NeedsAlgebra):
        Equations(operator.eq, Amounts(algebra=False)).equalities("2x+4y=8", "x+2y=4")

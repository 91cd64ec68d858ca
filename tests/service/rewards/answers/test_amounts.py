from __future__ import annotations

import pytest

from perception_reward.service.rewards.answers.amounts import Amounts, NeedsAlgebra
from perception_reward.service.rewards.answers.notation import plain
from perception_reward.service.rewards.answers.quantities import Quantity, read_quantities


def quantity(text: str) -> Quantity:
    return read_quantities(plain(text))[0]


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("1 m", "100 cm", True), ("10 m", "10 cm", False), ("10", "10 cm", True), ("3.14159", "3.14", True),
        ("3.146", "3.14", False), ("3.14", r"\pi", False), (r"\pi", "3.14", True), ("0.57", "0.6", True),
        ("0.3333333333333333", "1/3", True), ("0.333", "1/3", False), ("4.123105625617661", r"\sqrt{17}", True),
        ("1.0000000001", "1", False), ("50", "50%", True), ("0.5", "50%", True), ("0.5%", "50%", False),
        (r"\frac{\pi}{6}", "30°", True), (r"\frac{\pi}{3}", "30°", False), ("25 °F", "25 °C", False),
        ("25°", "25 °C", True),
        ("$5", "€5", False), ("£5", "5 pounds", True), (r"2 \pm 1", r"1 \pm 2", False), (r"6.02e23", "6.022e23", False),
        ("6.022e23", "6.02e23", True),
    ],
)  # fmt: skip
def test_quantities_are_compared_as_they_were_written(answer: str, reference: str, same: bool) -> None:
    assert Amounts().same(quantity(answer), quantity(reference)) is same


def test_rounding_goes_one_way() -> None:
    amounts = Amounts()
    assert amounts.rounds(quantity(r"12\pi"), quantity("37.7"))
    assert amounts.rounds(quantity("113.1"), quantity("113"))
    assert not amounts.rounds(quantity("38"), quantity(r"12\pi"))
    assert not amounts.rounds(quantity("5"), quantity("6"))


def test_a_tolerance_is_a_share_of_the_reference() -> None:
    amounts = Amounts(0.05)
    assert amounts.same(quantity("1.04 m"), quantity("100 cm"))
    assert amounts.same(quantity(r"\sqrt{2}"), quantity("1.4 m"))
    assert not amounts.same(quantity("106"), quantity("100"))
    assert not amounts.same(quantity("-100"), quantity("100"))


def test_irrational_values_need_algebra() -> None:
    with pytest.raises(NeedsAlgebra):
        Amounts(algebra=False).same(quantity(r"\sqrt{2}"), quantity("2"))
    assert Amounts(algebra=False).same(quantity(r"\frac{6}{4}"), quantity("1.5"))

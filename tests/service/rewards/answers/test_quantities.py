from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.units import read_unit
from perception_reward.service.rewards.answers.evaluation import exact
from perception_reward.service.rewards.answers.notation import plain
from perception_reward.service.rewards.answers.quantities import read_quantities


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5 cm", "5", "cm"), ("5cm", "5", "cm"), (r"5\mathrm{ cm}^2", "5", "cm^2"), ("$5", "5", "dollar"),
        ("-$5", "-5", "dollar"), ("$-5", "-5", "dollar"), ("$1.5 million", "1500000", "dollar"), ("¥29", "29", "yuan"),
        ("$2M", "2000000", "dollar"), ("50%", "50", "%"), ("71°", "71", "degree"), ("60 km/h", "60", "km/h"),
        ("5厘米", "5", "cm"), ("12个", "12", "个"), ("1 hour 30 minutes", "90", "min"), ("5'6\"", "66", "in"),
        ("1/2 cm", "1/2", "cm"), (r"2\frac{1}{2} cm", "5/2", "cm"), (r"33\frac13\%", "100/3", "%"),
        ("180° - 60°", "120", "degree"), ("5 (cm)", "5", "cm"), ("5", "5", None), ("5!", "120", None),
        ("twelve", "12", None), ("3rd", "3", None),
    ],
)  # fmt: skip
def test_a_quantity_is_a_value_and_its_unit(text: str, value: str, unit: str | None) -> None:
    quantity, *_ = read_quantities(plain(text))
    assert exact(quantity.node) == Fraction(value)
    assert quantity.unit == (None if unit is None else read_unit(unit))


@pytest.mark.parametrize("text", ["5 apples", "three red apples", "12 students in total", "3个苹果", "1 apple"])
def test_things_are_counted(text: str) -> None:
    [quantity] = read_quantities(plain(text))
    assert quantity.unit is not None


@pytest.mark.parametrize(
    "text",
    [
        "5 lakhs of", "5 squared", "5 unless six", "5 or more", "5 sqrt", "5 perhaps", "5 sixes", "5 plus one",
        "5 apples minus two", "2 3", "red", "", "5 mod 7", "5 alternatively six",
    ],
)  # fmt: skip
def test_a_word_that_may_change_the_number_makes_it_none(text: str) -> None:
    assert not read_quantities(plain(text))


def test_what_stands_for_more_than_one_value_has_more_than_one_reading() -> None:
    assert [exact(quantity.node) for quantity in read_quantities("third")] == [Fraction(1, 3), Fraction(3)]
    assert [quantity.unit for quantity in read_quantities("34m")] == [None, read_unit("m")]


@given(st.text(alphabet="0123456789 cmkg/^{}²%°$\\or'\"apples", max_size=80))
def test_any_text_is_survived(text: str) -> None:
    read_quantities(plain(text))

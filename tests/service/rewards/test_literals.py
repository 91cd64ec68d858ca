from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.literals import Literal, agrees, read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", "5"), ("-0.5", "-1/2"), (".5", "1/2"), ("1,234", "1234"), ("1 234", "1234"), ("1{,}234.5", "2469/2"),
        ("13/2", "13/2"), (r"\frac{3}{4}", "3/4"), (r"-\frac34", "-3/4"), ("2 1/2", "5/2"), (r"-2\frac{1}{2}", "-5/2"),
        (r"1.5 \times 10^{3}", "1500"), ("1.5e-1", "3/20"), ("twelve", "12"), ("three quarters", "3/4"),
        ("one half", "1/2"), ("two hundred and five", "205"), ("twenty-one", "21"), ("three thousand", "3000"),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly(text: str, value: str) -> None:
    literal = read_number(text)
    assert literal is not None
    assert literal.value == Fraction(value)


@pytest.mark.parametrize("text", ["", "x", "1,23", "1/0", "5 6", "1e999", "five six", "and", "--5", "5.5.5", "½x"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert read_number(text) is None


@given(st.integers(-(10**12), 10**12))
def test_integers_round_trip_with_and_without_separators(value: int) -> None:
    for text in (str(value), f"{value:,}"):
        literal = read_number(text)
        assert literal is not None
        assert literal.value == value


@given(st.text(alphabet="0123456789.,/-+ eE{}\\frac", max_size=90))
def test_any_text_is_survived(text: str) -> None:
    read_number(text)


def test_a_decimal_reference_agrees_to_its_number_of_decimals() -> None:
    assert agrees(Fraction("3.14159"), Literal(Fraction("3.14"), 2))
    assert not agrees(Fraction("3.146"), Literal(Fraction("3.14"), 2))
    assert not agrees(Fraction("0.333"), Literal(Fraction(1, 3)))

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.literals import read_based, read_decimal_comma, read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", "5"), ("-0.5", "-1/2"), (".5", "1/2"), ("1,234", "1234"), ("1 234", "1234"), ("1.234.567", "1234567"),
        ("13/2", "13/2"), ("2 1/2", "5/2"), ("-2 1/2", "-5/2"), (r"1.5 \times 10^{3}", "1500"), ("1.5e-1", "3/20"),
        ("1.5E+03", "1500"), ("twelve", "12"), ("three quarters", "3/4"), ("two hundred and five", "205"),
        (r"0.\overline{3}", "1/3"), ("0.(3)", "1/3"), (r"0.1\overline{6}", "1/6"), (r"0.333\ldots", "1/3"),
        (r"0.\dot{3}", "1/3"), (r"0.142857142857\ldots", "1/7"), ("1.5 million", "1500000"), ("2 dozen", "24"),
        ("3 halves", "3/2"), ("2万", "20000"), ("十二", "12"),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly(text: str, value: str) -> None:
    literal = read_number(text)
    assert literal is not None
    assert literal.value == Fraction(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1,23",
        "1/0",
        "5 6",
        "1e999",
        "five six",
        "and",
        "--5",
        "5.5.5",
        "½x",
        "2 3",
        "1 23",
        "5 apples",
        "5 pi",
    ],
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "step"),
    [("3.14", "1/100"), ("5", None), ("1/3", None), ("1.5e3", "100"), ("1.5 million", "100000"), ("0.(3)", None)],
)
def test_a_decimal_knows_its_last_digit(text: str, step: str | None) -> None:
    literal = read_number(text)
    assert literal is not None
    assert literal.step == (None if step is None else Fraction(step))


@pytest.mark.parametrize(
    ("text", "value"), [("0,5", "1/2"), ("1.234,56", "123456/100"), ("1,234", None), ("1,2,3", None)]
)
def test_a_decimal_comma_is_one_where_it_cannot_group(text: str, value: str | None) -> None:
    literal = read_decimal_comma(text)
    assert (None if literal is None else literal.value) == (None if value is None else Fraction(value))


@pytest.mark.parametrize(
    ("text", "based"),
    [("2516_8", ("2516", 8)), (r"1001_{\text{two}}", ("1001", 2)), ("FF_{16}", ("FF", 16)), ("9_8", None), ("5", None)],
)
def test_a_base_is_a_part_of_the_number(text: str, based: tuple[str, int] | None) -> None:
    assert read_based(text) == based


@given(st.integers(-(10**12), 10**12))
def test_integers_round_trip_with_and_without_separators(value: int) -> None:
    for text in (str(value), f"{value:,}"):
        literal = read_number(text)
        assert literal is not None
        assert literal.value == value


@given(st.text(alphabet="0123456789.,/-+ eE{}\\frac", max_size=90))
def test_any_text_is_survived(text: str) -> None:
    read_number(text)
    read_decimal_comma(text)
    read_based(text)

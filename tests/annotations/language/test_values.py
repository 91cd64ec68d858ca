"""Values are compared exactly, whatever way they are written."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.values import close, parse, same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3x-4", "-4+3x"),
        ("2sqrt(3)", "2*sqrt(3)"),
        ("sqrt(12)", "2 sqrt(3)"),
        ("((13)/(2))", "6.5"),
        ("10x-20", "10(x-2)"),
        ("2π", "π*2"),
        ("x/5+3", "((1)/(5))x+3"),
        ("1/sqrt(2)", "sqrt(2)/2"),
        ("1,250", "1250"),
        ("2x^2-10", "2*x*x - 10"),
    ],
)
def test_equal_expressions_are_the_same_value(one: str, other: str) -> None:
    left, right = parse(one), parse(other)
    assert left is not None
    assert right is not None
    assert same(left, right)


@pytest.mark.parametrize(("one", "other"), [("3x-4", "3x+4"), ("sqrt(3)", "1.732"), ("2x", "2y"), ("x^2", "2x")])
def test_different_expressions_are_different_values(one: str, other: str) -> None:
    left, right = parse(one), parse(other)
    assert left is not None
    assert right is not None
    assert not same(left, right)


@pytest.mark.parametrize("text", ["", "(", "1/0", "9^9^9", "sqrt(x)", "1/(x+1)", "2 +", "(" * 1000, "1" * 1000])
def test_what_cannot_be_held_exactly_is_no_value(text: str) -> None:
    assert parse(text) is None


def test_a_decimal_is_close_to_what_it_rounds() -> None:
    rounded, exact, other = parse("8.66"), parse("5sqrt(3)"), parse("8.67")
    assert rounded is not None
    assert exact is not None
    assert other is not None
    assert close(rounded, exact)
    assert not close(other, exact)


@given(st.text(alphabet="0123456789xyz+-*/^().√ sqrtπ", max_size=40))
def test_no_text_raises(text: str) -> None:
    value = parse(text)
    assert value is None or value.variables is not None


@given(st.integers(-999, 999), st.integers(-999, 999), st.fractions(-99, 99, max_denominator=50))
def test_terms_may_stand_in_any_order(slope: int, shift: int, factor: Fraction) -> None:
    one = parse(f"{slope}x + ({shift}) + ({factor})y")
    other = (
        parse(f"({factor})*y + {shift} + {slope}*x") if shift >= 0 else parse(f"({factor})*y - {-shift} + ({slope})x")
    )
    assert one is not None
    assert other is not None
    assert same(one, other)


@pytest.mark.parametrize("written", ["5 3/4", "5((3)/(4))", "23/4", "5.75", "5\\frac{3}{4}"])
def test_a_mixed_number_is_its_sum(written: str) -> None:
    value, decimal = parse(written), parse("5.75")
    assert value is not None
    assert decimal is not None
    assert same(value, decimal)


@pytest.mark.parametrize("text", ["3,5", "12,34", "1,23,456"])
def test_a_comma_that_groups_no_thousands_is_in_no_number(text: str) -> None:
    assert parse(text) is None

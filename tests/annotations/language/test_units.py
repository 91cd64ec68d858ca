from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.units import comparable, is_plural, read_unit, singular, spelled
from perception_reward.annotations.language.values import Value, parse


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("m", "cm", 100), ("m^2", "cm^2", 10_000), ("square meters", "m^{2}", 1), ("hours", "min", 60),
        ("km/h", "m/s", Fraction(10, 36)), ("kilometers per hour", "kmh", 1), ("L", "cm^3", 1000),
        ("dollars", "cents", 100), ("meters squared", "sq. m", 1), (r"^\circ", "degrees", 1), ("m s^{-2}", "m/s^2", 1),
        ("m/(s^2)", "m s^-2", 1), ("ms^{-1}", "m/s", 1), ("N m", "J", 1), ("kg m/s^2", "N", 1), ("kWh", "J", 3_600_000),
        ("厘米", "cm", 1), ("平方厘米", "cm^2", 1), ("千米/时", "km/h", 1), ("度", r"^\circ", 1), ("元", "yuan", 1),
        (r"^\circ C", "degrees Celsius", 1), ("kΩ".replace("Ω", r"\Omega"), "ohm", 1000), ("per cent", "%", 1),
        ("mL", "cc", 1), ("J/(kg K)", "J/kg/K", 1),
    ],
)  # fmt: skip
def test_units_of_one_dimension_convert(one: str, other: str, factor: Fraction) -> None:
    first, second = read_unit(spelled(one)), read_unit(spelled(other))
    assert first is not None
    assert second is not None
    assert first.dimension == second.dimension
    assert first.factor / second.factor == factor


@pytest.mark.parametrize(
    ("one", "other"),
    [("m", "kg"), ("m", "m^2"), (r"^\circ C", r"^\circ"), ("m/s", "m"), ("yuan", "dollar"), ("mg", "Mg"), ("s", "min")],
)
def test_different_units_differ(one: str, other: str) -> None:
    assert read_unit(one) != read_unit(other)


@pytest.mark.parametrize("text", ["", "x", "xy", "pi", "apples", "ab", "trillion", "^", "/", "m//s", "m^99"])
def test_what_is_no_unit_is_none(text: str) -> None:
    assert read_unit(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"5\mathrm{ cm}^2", "5 cm ^2"), (r"9.8 \frac{m}{s^2}", "9.8 m/(s^2)"), (r"\mathrm{m s^{-2}}", "m s^{-2}"),
        (r"2\frac{1}{2} cm", r"2\frac{1}{2} cm"),
    ],
)  # fmt: skip
def test_units_are_spelled_in_plain_letters_and_values_stay(text: str, expected: str) -> None:
    assert spelled(text) == expected


def test_a_plural_is_no_function_word_and_no_number() -> None:
    assert all(map(is_plural, ["apples", "people", "boxes"]))
    assert not any(map(is_plural, ["unless", "plus", "perhaps", "sixes", "tens", "lakh", "sqrt", "is"]))
    assert [singular(word) for word in ("apples", "berries", "glass", "is")] == ["apple", "berry", "glass", "is"]


@given(st.text(alphabet="0123456789 cmkg/^{}²%°$\\or()平方厘米度", max_size=80))
def test_any_text_is_survived(text: str) -> None:
    read_unit(spelled(text))


def read(text: str) -> Value:
    value = parse(text)
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("5 m", "500 cm", True), ("5 inches", "12.7 cm", True), ("2 ft", "24 in", True),
        ("3 square m", "30000 cm^2", True),
        ("5 m", "5 cm", False), ("5", "5 cm", True), ("5 units", "5 mm", True), ("36 m", "36 m^2", True),
        ("50 °", "50 degrees", True), ("50", "50 deg", True), ("50 °", "50 cm", False),
    ],
)  # fmt: skip
def test_values_are_compared_in_one_unit(one: str, other: str, same: bool) -> None:
    (first, _, unit), (second, _, other_unit) = one.partition(" "), other.partition(" ")
    pair = comparable(read(first), unit, read(second), other_unit)
    assert (pair is not None and pair[0].terms == pair[1].terms) is same

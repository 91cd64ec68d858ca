from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.units import LONGEST_QUANTITY, read_unit, split_unit


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("m", "cm", 100), ("m^2", "cm^2", 10_000), ("square meters", "m^{2}", 1), ("hours", "min", 60),
        ("km/h", "m/s", Fraction(10, 36)), ("kilometers per hour", "kmh", 1), ("L", "cm^3", 1000),
        ("dollars", "cents", 100), ("meters squared", "sq. m", 1), (r"^\circ", "degrees", 1),
    ],
)  # fmt: skip
def test_units_of_one_dimension_convert(one: str, other: str, factor: Fraction) -> None:
    first, second = read_unit(one), read_unit(other)
    assert first is not None
    assert second is not None
    assert first.dimension == second.dimension
    assert first.factor / second.factor == factor


@pytest.mark.parametrize(("one", "other"), [("m", "kg"), ("m", "m^2"), (r"^\circ C", r"^\circ"), ("m/s", "m")])
def test_units_of_different_dimensions_differ(one: str, other: str) -> None:
    first, second = read_unit(one), read_unit(other)
    assert first is not None
    assert second is not None
    assert first.dimension != second.dimension


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5 cm", "5"), ("5cm", "5"), (r"5\mathrm{ cm}^2", "5"), (r"3\sqrt{2} \text{ cm}", r"3\sqrt{2}"), ("$5", "5"),
        ("50%", "50"), (r"71^\circ", "71"), ("5 apples", "5"), ("60 km/h", "60"),
    ],
)  # fmt: skip
def test_a_quantity_is_split_into_value_and_unit(text: str, value: str) -> None:
    found, unit = split_unit(text)
    assert found == value
    assert unit is not None


@pytest.mark.parametrize("text", ["5", "x", "5m", "5 or 6", "5 or more", "x+3m", "", "cm"])
def test_a_value_without_a_unit_stays_whole(text: str) -> None:
    assert split_unit(text) == (text, None)


@given(st.text(alphabet="0123456789 cmkg/^{}²%°$\\or", max_size=LONGEST_QUANTITY))
def test_any_text_is_survived(text: str) -> None:
    split_unit(text)

"""Units of measure: which name the same, and how lengths convert."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from perception_reward.annotations.language.expressions import Value

UNIT = (
    r"[\s-]?(?:°|deg(?:rees?)?\b|(?:square |cubic )?(?:centimet(?:er|re)s?|millimet(?:er|re)s?|kilomet(?:er|re)s?"
    r"|met(?:er|re)s?|inch(?:es)?|foot|feet|yards?|miles?|units?|cm|mm|km|ft|yd|mi|m|in)(?:\^\(?[23]\)?)?(?![A-Za-z'])(?!\s(?:the|this|our|a|an|△|triangle|figure)\b))?"
)
_METRES = {
    "m": Fraction(1), "meter": Fraction(1), "metre": Fraction(1),
    "cm": Fraction(1, 100), "centimeter": Fraction(1, 100), "centimetre": Fraction(1, 100),
    "mm": Fraction(1, 1000), "millimeter": Fraction(1, 1000), "millimetre": Fraction(1, 1000),
    "km": Fraction(1000), "kilometer": Fraction(1000), "kilometre": Fraction(1000),
    "in": Fraction(254, 10000), "inch": Fraction(254, 10000),
    "ft": Fraction(3048, 10000), "foot": Fraction(3048, 10000), "feet": Fraction(3048, 10000),
    "yd": Fraction(9144, 10000), "yard": Fraction(9144, 10000),
    "mi": Fraction(1609344, 1000), "mile": Fraction(1609344, 1000),
}  # fmt: skip


@lru_cache(maxsize=256)
def _length(unit: str) -> Fraction | None:
    unit = unit.lower()
    unit = {"inches": "inch"}.get(unit, unit)
    return _METRES.get(unit) or _METRES.get(unit.removesuffix("s"))


def is_degrees(unit: str) -> bool:
    """Whether a unit is the degree."""
    return unit == "°" or unit.lower().startswith("deg")


def comparable(one: Value, unit: str, other: Value, other_unit: str) -> tuple[Value, Value] | None:
    """Both values in one unit, or None where the units measure different things.

    A value without a unit, or in "units", is taken to be in the other's.
    """
    if is_degrees(unit) or is_degrees(other_unit):
        return (one, other) if _length(unit) is None and _length(other_unit) is None else None
    first, second = _length(unit), _length(other_unit)
    if first is None or second is None or first == second:
        return one, other
    return one.scaled(first), other.scaled(second)

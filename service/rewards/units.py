r"""Units of measure behind a number, compared and not ignored: `1 m` is `100 cm`, and `10 m` is not `10 cm`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

Dimension = tuple[tuple[str, int], ...]

LONGEST = 60
"""Characters of a unit."""

MOST_NAMES = 6
"""Of a compound unit, such as the four of kg m^2/s^3 A."""

LONGEST_QUANTITY = 400
"""Characters of a value with its unit. What is longer is read without one."""


@dataclass(frozen=True, slots=True)
class Unit:
    """dimension: base names with their powers, sorted. factor: what one of it is in base units."""

    dimension: Dimension
    factor: Fraction = Fraction(1)


PERCENT = Unit((("%", 1),), Fraction(1, 100))

_TABLE: dict[str, tuple[str, str]] = {
    # metre
    "mm millimeter millimetre": ("length", "1/1000"),
    "cm centimeter centimetre": ("length", "1/100"),
    "dm decimeter decimetre": ("length", "1/10"),
    "m meter metre": ("length", "1"),
    "km kilometer kilometre": ("length", "1000"),
    "in inch inche": ("length", "254/10000"),
    "ft foot feet": ("length", "3048/10000"),
    "yd yard": ("length", "9144/10000"),
    "mi mile": ("length", "1609344/1000"),
    # gram
    "mg milligram": ("mass", "1/1000"),
    "g gram": ("mass", "1"),
    "kg kilogram kilo": ("mass", "1000"),
    "t ton tonne": ("mass", "1000000"),
    "lb lbs pound": ("mass", "45359237/100000"),
    "oz ounce": ("mass", "28349523125/1000000000"),
    # second
    "ms millisecond": ("time", "1/1000"),
    "s sec second": ("time", "1"),
    "min minute": ("time", "60"),
    "h hr hour": ("time", "3600"),
    "day": ("time", "86400"),
    "week": ("time", "604800"),
    "month": ("month", "1"),
    "yr year": ("month", "12"),
    # angle, temperature, money, share
    "degree deg": ("degree", "1"),
    "rad radian": ("radian", "1"),
    "celsius": ("celsius", "1"),
    "fahrenheit": ("fahrenheit", "1"),
    "kelvin": ("kelvin", "1"),
    "dollar usd": ("dollar", "1"),
    "cent ¢": ("dollar", "1/100"),
    "euro eur": ("euro", "1"),
    "£ gbp": ("sterling", "1"),
    "% percent percentage pct": ("%", "1/100"),
    # physics
    "N newton": ("newton", "1"),
    "J joule": ("joule", "1"),
    "kj kilojoule": ("joule", "1000"),
    "W watt": ("watt", "1"),
    "kw kilowatt": ("watt", "1000"),
    "pa pascal": ("pascal", "1"),
    "V volt": ("volt", "1"),
    "A amp ampere": ("ampere", "1"),
    "ohm": ("ohm", "1"),
    "hz hertz": ("hertz", "1"),
    "mol mole": ("mole", "1"),
}
_ATOMS: dict[str, tuple[Dimension, Fraction]] = {
    **{name: (((base, 1),), Fraction(factor)) for names, (base, factor) in _TABLE.items() for name in names.split()},
    **dict.fromkeys(("l", "L", "liter", "litre"), ((("length", 3),), Fraction(1, 1000))),
    **dict.fromkeys(("ml", "milliliter", "millilitre"), ((("length", 3),), Fraction(1, 1_000_000))),
    **dict.fromkeys(("kmh", "kph"), ((("length", 1), ("time", -1)), Fraction(1000, 3600))),
    "mph": ((("length", 1), ("time", -1)), Fraction(1609344, 3600000)),
    "unit": ((), Fraction(1)),
}
"""Names in lower case, but for single letters, where case tells a unit from a variable."""

_POWERS = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cubed": 3, "cu": 3}
_PREFIXES = {"$": "dollar", "€": "euro", "£": "£", "USD": "dollar"}
_no_noun = re.compile(
    r"\b(?:or|and|not|to|if|when|than|minus|plus|times|over|but|n?either|except|maybe|perhaps|versus|by|is|isn|are|"
    r"hundred|thousand|million|billion|dozen|half|quarter|third)\b"
)

_wrapped = re.compile(r"\\(?:text|mathrm|operatorname|rm|mathsf|mathbf)\s?\{([^{}]*)\}|\\(?:mathrm|rm|text)\s")
_degree = re.compile(r"\^\\circ\s?(?P<scale>[CF](?![A-Za-z]))?")
_atom = re.compile(r"(?P<name>[A-Za-z¢%£]+)\.?(?:\s?\^\s?\{?\s?(?P<power>-?\d)\s?\}?|(?P<digit>[23])(?!\d))?")
_joint = re.compile(r"\s?(?:(?P<over>/|\bper\b)|\\cdot|\*)?\s?")
_noun = re.compile(r"[A-Za-z]{2,20}(?:[ -][A-Za-z]{2,20}){0,2}")
_money = re.compile(r"(?P<mark>\$|€|£|USD)\s?(?P<rest>[\d.].*)")


@lru_cache(maxsize=256)  # an answer is compared with every choice
def split_unit(text: str) -> tuple[str, Unit | None]:
    """(the value's text, its unit); the whole text and None where it ends in no unit.

    A noun that is no known unit is one of its own (`5 apples`), if a plain number stands before it. `text` is in
    plain notation.
    """
    if (money := _money.fullmatch(text)) is not None:
        return money["rest"].strip(), Unit(*_ATOMS[_PREFIXES[money["mark"]]])
    if len(text) > LONGEST_QUANTITY:
        return text, None
    spelled = _wrapped.sub(lambda match: f" {match[1] or ''} ", text).strip()
    return _from_the_end(spelled) or (text, None)


def _from_the_end(text: str) -> tuple[str, Unit] | None:
    """The longest known unit at the end that leaves a value; else a noun behind a number."""
    start = max(0, len(text) - LONGEST)
    for cut in range(start, len(text)):
        if cut and not _may_begin(text, cut):
            continue
        value = text[:cut].strip()
        if (
            value
            and (unit := read_unit(text[cut:])) is not None
            and _may_carry(value, text[cut:], text[cut - 1] == " ")
        ):
            return value.removesuffix("\\").strip(), unit
    number = re.match(r"[+-]?[\d.,/ ]*\d", text)
    if number is None or _noun.fullmatch(noun := text[number.end() :].strip()) is None:
        return None
    if _no_noun.search(noun.casefold()):
        return None
    words = re.split(r"[ -]", noun.casefold())
    return number.group(), Unit(((" ".join(_singular(word) for word in words), 1),))


def _may_begin(text: str, cut: int) -> bool:
    """Not in the middle of a word or of a LaTeX command."""
    before, here = text[cut - 1], text[cut]
    return not here.isspace() and not (before.isalpha() and here.isalpha()) and before not in "\\^_{"


def _may_carry(value: str, unit: str, apart: bool) -> bool:
    """A single letter right behind a number may be a variable: `5m`. Behind a space or in `\\mathrm{}` it is a unit."""
    if value[-1] in "+-*/=<>(,":
        return False
    return apart or len(unit.strip()) > 1 or not unit.isalpha()


def read_unit(text: str) -> Unit | None:
    r"""The unit that the whole text is: `cm`, `cm^2`, `square meters`, `km/h`, `^\circ`, `%`. None otherwise."""
    text = text.strip().strip(".")
    if (degree := _degree.fullmatch(text)) is not None:
        name = {"C": "celsius", "F": "fahrenheit"}.get(degree["scale"] or "", "degree")
        return Unit(*_ATOMS[name])
    powers: dict[str, int] = {}
    names = 0
    factor = Fraction(1)
    sign, pending, position = 1, 1, 0
    while position < len(text):
        match = _atom.match(text, position)
        if match is None or names == MOST_NAMES:
            return None
        word = match["name"] if len(match["name"]) == 1 else match["name"].casefold()
        position = match.end()
        names += 1
        if word in _POWERS and not word.endswith("d"):
            pending = _POWERS[word]
            position += len(text[position:]) - len(text[position:].lstrip())
            continue
        known = _ATOMS.get(word) or _ATOMS.get(_singular(word))
        if known is None:
            return None
        power = sign * int(match["power"] or match["digit"] or 1) * pending
        pending = 1
        after = re.match(r"\s(squared|cubed)\b", text[position:])
        if after is not None:
            power *= _POWERS[after[1]]
            position += after.end()
        for base, exponent in known[0]:
            powers[base] = powers.get(base, 0) + exponent * power
        factor *= known[1] ** power
        joint = _joint.match(text, position)
        if joint is not None and position < len(text):
            sign = -1 if joint["over"] else sign
            if joint.end() == position:
                return None
            position = joint.end()
    if not names or pending != 1:
        return None
    return Unit(tuple(sorted((base, power) for base, power in powers.items() if power)), factor)


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word

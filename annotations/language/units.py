r"""Units of measure, compared and not ignored: `1 m` is `100 cm`, `m\,s^{-2}` is `m/s^2`, and `10 m` is not `10 cm`.

read_unit("km/h")                                # Unit((('length', 1), ('time', -1)), Fraction(5, 18))
comparable(parse("5"), "m", parse("500"), "cm")  # 5 and 5, in metres
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from perception_reward.annotations.language.numbers import CARDINALS
from perception_reward.annotations.language.unit_table import ATOMS, Atom, Dimension
from perception_reward.annotations.language.values import Value
from perception_reward.annotations.language.word_lists import words

LONGEST = 60
"""Characters of a unit."""

MOST_NAMES = 6
"""Of a compound unit, such as the four of kg m^2/s^3 A."""

LARGEST_POWER = 12


@dataclass(frozen=True, slots=True)
class Unit:
    """dimension: base names with their powers, sorted. factor: what one of it is in base units."""

    dimension: Dimension
    factor: Fraction = Fraction(1)


NOTHING = Unit(())
"""Of what is only counted: `12个`, `5 units`."""

PERCENT = Unit((("%", 1),), Fraction(1, 100))
DEGREE = Unit((("degree", 1),))
TEMPERATURES = (("celsius", 1),), (("fahrenheit", 1),)

_POWERS = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cubed": 3, "cu": 3, "平方": 2, "立方": 3}

MONEY = {"$": "dollar", "€": "euro", "£": "£", "¥": "yuan", "₹": "rupee", "₩": "won", "₽": "ruble", "USD": "dollar",
         "US$": "dollar", "HK$": "dollar", "RMB": "yuan", "CNY": "yuan", "EUR": "euro", "GBP": "£"}  # fmt: skip
"""Signs before an amount. `¥` is yuan here, and the yen where the other side says so."""

LENGTH = r"(?:centi|milli|kilo)?met(?:er|re)s?|inch(?:es)?|foot|feet|yards?|miles?|units?|[cmk]m|ft|yd|mi|m|in"
"""A pattern for the units that a figure's lengths are given in."""

UNIT = (
    rf"[\s-]?(?:°|deg(?:rees?)?\b|(?:square |cubic )?(?:{LENGTH})(?:\^\(?[23]\)?)?"
    r"(?![A-Za-z'])(?!\s(?:the|this|our|a|an|△|triangle|figure)\b))?"
)
"""A pattern for what stands behind a value about a figure, in plain notation; it matches nothing as well."""

_wrapped = re.compile(
    r"\\(?:text|mathrm|operatorname)\s?\{((?:[^{}]|\{[^{}]*\}){0,80})\}|\\(?:mathrm|text)(?![A-Za-z])\s?"
)
_fraction = re.compile(r"\\frac\s?\{\s?((?:[^{}]|\{[^{}]*\}){1,60})\}\s?\{\s?((?:[^{}]|\{[^{}]*\}){1,60})\}")
# `ms^{-1}` is no reciprocal of a millisecond.
_speed = re.compile(r"(?<![A-Za-z])ms(?=\s?\^\s?\{?\s?-)")
_scaled = re.compile(r"degrees? (C|F|celsius|fahrenheit)", re.IGNORECASE)
_degree = re.compile(r"\^\\circ\s?(?P<scale>[CF](?![A-Za-z]))?")
_atom = re.compile(
    r"(?P<name>\\Omega|[A-Za-zµ]*\\Omega|[A-Za-zµ]+|[¢%£€$₹₩₽]|(?:平方|立方)?[毫厘分千微纳]?[\u4e00-\u9fff])\.?"
    r"(?:\s?\^\s?\{?\s?(?P<power>[+-]?\d{1,2})(?:\s?\})?|(?P<digit>[23])(?!\d))?"
)
_chinese = re.compile(r"(平方|立方)?([\u4e00-\u9fff]{1,3})")
_joint = re.compile(r"\s?(?:(?P<over>/|\bper\b|每)|\\cdot|\\times|\*|\.)?\s?")


def spelled(text: str) -> str:
    r"""`\text{ cm}`, `\mathrm{cm}` and `\frac{m}{s}` as plain letters."""
    text = _wrapped.sub(lambda match: f" {match[1] or ''} ", text)
    if "ms" in text or "\\mu" in text:
        text = _speed.sub("m s", text.replace("\\mu ", "µ").replace("\\mu", "µ"))
    if "\\frac" in text:
        text = _fraction.sub(_quotient, text)
    return " ".join(text.split())


def _quotient(match: re.Match[str]) -> str:
    over, under = match[1].strip(), match[2].strip()
    return match.group() if read_unit(over) is None or read_unit(under) is None else f" {over}/({under})"


@lru_cache(maxsize=1024)
def read_unit(text: str) -> Unit | None:
    r"""The unit that the whole text is: `cm`, `cm^2`, `square meters`, `km/h`, `J/(kg K)`, `^\circ`, `%`, `厘米`."""
    text = text.strip().rstrip(".").replace("per cent", "percent")
    if not text or len(text) > LONGEST:
        return None
    if (degree := _degree.fullmatch(text)) is not None:
        name = {"C": "celsius", "F": "fahrenheit"}.get(degree["scale"] or "", "degree")
        return Unit(*ATOMS[name])
    if (scaled := _scaled.fullmatch(text)) is not None:
        return Unit(*ATOMS["celsius" if scaled[1][0] in "Cc" else "fahrenheit"])
    if text[0] == "(" and text.find(")") == len(text) - 1:
        text = text[1:-1].strip()
    numerator, slash, denominator = text.partition("/(")
    if slash and denominator.endswith(")"):
        over, under = _read(numerator), _read(denominator[:-1])
        return None if over is None or under is None else _joined(over, under, -1)
    return _read(text)


def _read(text: str) -> Unit | None:
    unit, sign, pending, position, names = NOTHING, 1, 1, 0, 0
    while position < len(text):
        match = _atom.match(text, position)
        if match is None or names == MOST_NAMES:
            return None
        name, end = match["name"], match.end()
        if (chinese := _chinese.match(text, position)) is not None:
            pending = _POWERS.get(chinese[1] or "", pending)
            name, end = chinese[2], chinese.end()
            while name not in ATOMS and len(name) > 1:
                name, end = name[:-1], end - 1
        names += 1
        if (prefix := name.casefold().rstrip(".")) in _POWERS and not prefix.endswith("d"):
            pending = _POWERS[prefix]
            position = end + len(text[end:]) - len(text[end:].lstrip())
            continue
        atom = _known(name)
        power = sign * int(match["power"] or match["digit"] or 1) * pending
        after = re.match(r"\s(squared|cubed)\b", text[end:])
        if after is not None:
            power *= _POWERS[after[1]]
            end += after.end()
        if atom is None or abs(power) > LARGEST_POWER:
            return None
        unit, pending = _joined(unit, Unit(*atom), power), 1
        joint = _joint.match(text, end)
        position = end if joint is None else joint.end()
        if joint is not None and joint["over"]:
            sign = -1
        if position == end and end < len(text) and text[end].isascii():
            return None
    return unit if names and pending == 1 else None


def _known(name: str) -> Atom | None:
    if name in ATOMS or len(name) == 1:
        return ATOMS.get(name)
    folded = name.casefold()
    return ATOMS.get(folded) or ATOMS.get(singular(folded)) or ATOMS.get(name.removesuffix("s"))


def _joined(unit: Unit, other: Unit, power: int) -> Unit:
    powers = dict(unit.dimension)
    for base, exponent in other.dimension:
        powers[base] = powers.get(base, 0) + exponent * power
    dimension = tuple(sorted((base, exponent) for base, exponent in powers.items() if exponent))
    return Unit(dimension, unit.factor * other.factor**power)


def is_degrees(unit: str) -> bool:
    """Whether a unit behind a value is the degree."""
    return unit == "°" or unit.lower().startswith("deg")


def comparable(one: Value, unit: str, other: Value, other_unit: str) -> tuple[Value, Value] | None:
    """Both values in one unit, or None where one is in degrees and the other is no angle.

    A value without a unit, or in "units", is taken to be in the other's. Whether a length is squared is not minded.
    """
    first, second = _measure(unit), _measure(other_unit)
    if DEGREE in (first, second) and first != second and NOTHING not in (first, second):
        return None
    if first.dimension != second.dimension or first.factor == second.factor:
        return one, other
    return one.scaled(first.factor), other.scaled(second.factor)


@lru_cache(maxsize=256)
def _measure(unit: str) -> Unit:
    if is_degrees(unit):
        return DEGREE
    return read_unit(unit.lower().replace("(", "").replace(")", "")) or NOTHING


# All function words of English that end in s, and plurals that say something of the number itself.
_NO_PLURALS = words("""
    is was has does this his hers its ours yours theirs as us thus plus minus versus vs unless less besides
    perhaps sometimes always afterwards towards across whereas times others says means equals gives makes radius
    tens logs pis
""")
_PLURALS = words("""
    people children men women fish sheep mice geese teeth oxen deer feet dice cattle police
""")


def is_plural(word: str) -> bool:
    """Whether an English word in lower case names several things, as far as its form tells."""
    if len(word) < 3 or word in _NO_PLURALS or {word[:-1], word[:-2]} & CARDINALS:
        return False
    return word in _PLURALS or (word.endswith("s") and not word.endswith(("ss", "us", "is")))


def singular(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word

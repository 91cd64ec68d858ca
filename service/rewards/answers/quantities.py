r"""Values with or without a unit: `5 cm`, `-\$5`, `36\pi\text{ cm}^2`, `1 hour 30 minutes`, `5 apples`, `3\sqrt{2}`.

A word behind a number is a unit of its own only where it can be nothing else: a plural that is no function word, no
part of a number and no mathematics. `5xy`, `5 pi`, `5 squared` and `5 unless six` are no five of anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from perception_reward.annotations.language.formulas import read_formula
from perception_reward.annotations.language.literals import Literal, read_decimal_comma, read_number
from perception_reward.annotations.language.nodes import Node, symbols_of
from perception_reward.annotations.language.numbers import CARDINALS, PARTS, read_ordinal
from perception_reward.annotations.language.units import (
    DEGREE,
    LONGEST,
    MONEY,
    Unit,
    is_plural,
    read_unit,
    singular,
    spelled,
)
from perception_reward.annotations.language.word_lists import words

LONGEST_QUANTITY = 400
"""Characters of a value with its unit. What is longer is read without one."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """node: the value. literal: how it was written, where it is one number. unit: None where none is said."""

    node: Node
    literal: Literal | None = None
    unit: Unit | None = None


LONGEST_COMPOUND = 60
"""Characters."""

_money = re.compile(
    r"(?P<sign>[+-]?)\s?(?P<mark>US\$|HK\$|USD|RMB|CNY|EUR|GBP|[$€£¥₹₩₽])\s?(?P<rest>[+-]?\s?[\d.\\].*)"
)
_short_scale = re.compile(r"(?P<number>[\d.,]{1,30})\s?(?P<scale>[KkMBb]n?)")
_SHORT_SCALES = {"k": 10**3, "m": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9}
_letters = re.compile(r"[A-Za-zµ%¢€£$₹'\"\u4e00-\u9fff]|\\circ")
_noun = re.compile(r"(?P<words>[A-Za-z]{2,20}(?:[ -][A-Za-z]{2,20}){0,3})")
_counted = re.compile(r"(?P<number>[+-]?[\d.,/ ]*\d|[A-Za-z]{3,9}(?:[ -][A-Za-z]{3,9}){0,3}?)\s(?P<noun>[A-Za-z].*)")
_chinese_count = re.compile(
    r"(\d[\d,.]*|[零一二两三四五六七八九十百千万]{1,8})[个個只隻条條本张張名位次种種件棵颗辆台朵头匹枚支]([\u4e00-\u9fff]{1,6})"
)
_of_it = re.compile(
    r"\s(?:in total|in all|altogether|total|each|long|tall|high|wide|deep|old|away|apart|left|remaining|ago|"
    r"of\s[A-Za-z ]*)$"
)
_NO_ADJECTIVES = words("""
    or and not to if when than minus plus times over but either neither except maybe perhaps versus by is isn
    are unless else otherwise alternatively instead possibly probably whereas while though then so because since
    until with without from for at up down per squared cubed factorial pi root half quarter dozen more fewer
    less most least almost nearly about around mod modulo percent
""")
_compound = re.compile(
    r"(?P<number>\d[\d.,]*(?:/\d+)?)\s?(?P<unit>[A-Za-z]{1,12}\.?|\^\\circ|''?|\"|[\u4e00-\u9fff]{1,2})[\s,]*(?:and\s)?"
)
_ANGLES = {"'": "arcmin", "''": "arcsec", '"': "arcsec", r"^\circ": "degree"}
_LENGTHS = {"'": "foot", "''": "inch", '"': "inch"}
_trigonometric = re.compile(r"sin|cos|tan|cot|sec|csc")
_bare_unit = re.compile(r"[+-]?\d[\d.,]*m")


@lru_cache(maxsize=2048)
def read_quantities(text: str) -> tuple[Quantity, ...]:
    """What the whole text may mean, the likeliest first; empty where it is no value. `text` is in plain notation."""
    text = text.strip()
    if not text:
        return ()
    if (found := _read_money(text)) is not None:
        return (found,)
    if (literal := read_number(text)) is not None:
        ordinal = read_ordinal(text) if text.isalpha() else None
        return (_plain(literal), *(() if ordinal is None else (_plain(Literal(Fraction(ordinal))),)))
    if (ordinal := read_ordinal(text)) is not None:
        return (_plain(Literal(Fraction(ordinal))),)
    if "^\\circ" in text and (text.count("^\\circ") > 1 or _trigonometric.search(text)):
        return _of_degrees(text)
    if len(text) <= LONGEST_QUANTITY and _letters.search(text):
        for read in (_with_unit, _compounded, _with_noun):
            if (found := read(text)) is not None:
                return (found,)
    if "^\\circ" in text:
        return _of_degrees(text)
    node = read_formula(text)
    if node is None:
        return ()
    metres = _bare_unit.fullmatch(text)
    lengths = () if metres is None else read_quantities(f"{text[:-1]} m")
    return (Quantity(node), *lengths)


def _of_degrees(text: str) -> tuple[Quantity, ...]:
    """`\\cos 60^\\circ` is a number; `180^\\circ - 60^\\circ` is an angle, and so may `30^\\circ 15'` be."""
    if (found := _compounded(text)) is not None:
        return (found,)
    if _trigonometric.search(text):
        node = read_formula(text)
        return () if node is None else (Quantity(node),)
    node = read_formula(text.replace("^\\circ", " "))
    return () if node is None else (Quantity(node, unit=DEGREE),)


def _plain(literal: Literal, unit: Unit | None = None) -> Quantity:
    return Quantity(Node("number", value=literal.value), literal, unit)


def _value(text: str) -> Quantity | None:
    """A value alone."""
    text = text.strip()
    if (literal := read_number(text) or read_decimal_comma(text)) is not None:
        return _plain(literal)
    node = read_formula(text)
    return None if node is None else Quantity(node)


def _of(quantity: Quantity, unit: Unit) -> Quantity:
    return Quantity(quantity.node, quantity.literal, unit)


def _read_money(text: str) -> Quantity | None:
    match = _money.fullmatch(text)
    if match is None:
        return None
    rest, sign = match["rest"].replace("\\$", "").strip(), match["sign"]
    if (short := _short_scale.fullmatch(rest)) is not None and (number := read_number(short["number"])) is not None:
        scale = _SHORT_SCALES.get(short["scale"].casefold(), 1)
        found = _plain(
            Literal(number.value * scale, None if number.step is None else number.step * scale, number.digits)
        )
    else:
        # `$29 dollars` and `$5 per hour` name a unit twice, or of two parts.
        parts = _value(rest) or next(iter(read_quantities(rest)), None)
        if parts is None or (parts.unit is not None and parts.unit.dimension[:1] not in ((("dollar", 1),), ())):
            return None
        found = parts
    if sign == "-":
        literal = found.literal
        flipped = None if literal is None else Literal(-literal.value, literal.step, literal.digits)
        found = Quantity(Node("neg", (found.node,)), flipped)
    unit = read_unit(MONEY[match["mark"]])
    return found if unit is None else _of(found, unit)


def _with_unit(text: str) -> Quantity | None:
    """The longest known unit at the end that leaves a value."""
    flat = spelled(text)
    apart = flat != text
    start = max(1, len(flat) - LONGEST)
    for cut in range(start, len(flat)):
        if not _may_begin(flat, cut) or (unit := read_unit(flat[cut:])) is None:
            continue
        head = flat[:cut].strip().removesuffix("\\cdot").removesuffix("\\").strip()
        if not head or head[-1] in "+-*/=<>(,^_" or (found := _value(head)) is None:
            continue
        tail = flat[cut:].strip()
        if tail.isalpha() and tail.isascii() and len(tail) == 1 and not apart and flat[cut - 1] != " ":
            return None  # `5m` may be a product
        if symbols_of(found.node) and not apart and (len(tail) == 1 or tail == "in"):
            return None
        return _of(found, unit)
    return None


def _may_begin(text: str, cut: int) -> bool:
    """Not in the middle of a word or of a LaTeX command."""
    before, here = text[cut - 1], text[cut]
    if here.isspace() or (before in "\\^_{" and here != "\\"):
        return False
    return not (before.isalpha() and here.isalpha() and before.isascii())


def _compounded(text: str) -> Quantity | None:
    """`1 hour 30 minutes`, `5 ft 6 in`, `5'6''`, `30^\\circ 15'`: smaller and smaller units of one kind."""
    if len(text) > LONGEST_COMPOUND:
        return None
    flat = spelled(text)
    position, total = 0, Fraction(0)
    last: Unit | None = None
    marks = _ANGLES if "circ" in flat else _LENGTHS
    while position < len(flat):
        match = _compound.match(flat, position)
        number = read_number(match["number"]) if match is not None else None
        name = match["unit"] if match is not None else ""
        if name == "m" and last is not None and last.dimension == (("time", 1),):
            name = "min"
        unit = read_unit(marks.get(name, name))
        if match is None or number is None or unit is None:
            return None
        if last is not None and (unit.dimension != last.dimension or unit.factor >= last.factor):
            return None
        total, last, position = total + number.value * unit.factor, unit, match.end()
    if last is None or (len(_compound.findall(flat)) < 2 and flat[-1] not in "'\""):
        return None
    return _plain(Literal(total / last.factor), last)


def _with_noun(text: str) -> Quantity | None:
    """`5 apples`, `three red apples`, `12 students in total`, `3个苹果`: a count of something."""
    if (counted := _chinese_count.fullmatch(text)) is not None and (number := read_number(counted[1])) is not None:
        return _plain(number, Unit(((counted[2], 1),)))
    flat = _of_it.sub("", spelled(text))
    match = _counted.fullmatch(flat)
    if match is None or _noun.fullmatch(match["noun"]) is None:
        return None
    number = read_number(match["number"])
    *adjectives, noun = re.split(r"[ -]", match["noun"].casefold())
    if number is None or any(
        word in _NO_ADJECTIVES or word in CARDINALS or word in PARTS for word in (*adjectives, noun)
    ):
        return None
    known = read_unit(noun)
    if known is None and not is_plural(noun) and (abs(number.value) != 1 or noun.endswith("ly") or len(noun) < 3):
        return None
    # `5 square units`, `5 long meters`: the noun may be a unit itself.
    return _plain(number, known or Unit(((" ".join(singular(word) for word in (*adjectives, noun)), 1),)))

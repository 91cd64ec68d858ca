"""What a text must hold before a fact can be stated by it: the fact's own names and numbers.

    grounds("AB = 7.", "Segment AB has length 5.")     # Grounds.OTHER_NUMBERS: it may contradict, it cannot state
    grounds("BC = 5.", "Segment AB has length 5.")     # Grounds.NOTHING: it is about something else
    grounds("BA is 5 cm.", "Segment AB has length 5.")  # Grounds.ALL: whether it does is for the model to say

A small model takes another element's value for the fact's, or an order to say yes for a reason to. Neither survives a
rule that needs no model: points and numbers are written as symbols, so who states the fact writes them. The rule knows
that ∠B may stand for ∠ABC and "the circle" for circle O, that numbers are also words, fractions and thousands, and that
a right angle has 90 degrees; it asks for nothing where a fact has neither names nor numbers.

What a text only asks, hedges or offers as an option is not held at all, and what it supposes cannot state (`asserted`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from perception_reward.annotations.language.asserted import asserted
from perception_reward.annotations.language.cues import NEGATIONS
from perception_reward.annotations.language.names import NAME, points_of
from perception_reward.annotations.language.notation import normalise
from perception_reward.annotations.language.numbers import numbers_in

# Part of the fingerprint of every judge that shows evidence: raise it with each change to what `grounds` returns, one
# to the symbolic judge's moods included.
VERSION = 4

_NAME = re.compile(NAME)
# "A dog": no name, where what follows is neither a verb nor a sign.
_ARTICLE = re.compile(r"(?:A|I) (?!(?:is|lies?|and|to|on|has|are|bisects?)\b)[a-z]")
# Figures of which a response has mostly one, so that it need not name it: "the circle".
_SHAPES = (
    "circle|triangle|quadrilateral|square|rectangle|rhombus|parallelogram|trapezoid|trapezium|kite|polygon|pentagon"
    "|hexagon|octagon|plane|option|figure|graph"
)
_SHAPE = re.compile(rf"\b(?:{_SHAPES})\b")
# "The circle", and not "the circle P".
_DEFINITE = re.compile(rf"\b(?:the|this|that|our|its)\s+(?:[a-z]+\s+)?({_SHAPES})\b(?!\s*(?-i:[A-Z]))", re.I)
_FIGURE = re.compile(rf"(?:\b((?i:{_SHAPES})s?)\s+|([⊙△▱□])\s?)$")
_ANGLE = re.compile(r"(?:(?i:\bangles?)\s+|∠\s?)[\s(]*$")
_LISTED = re.compile(r"[\s,()]*(?:and|or|=|,|&)[\s,()]*")
_LONGEST_NOUN = 24
_SIGNS = {"⊙": "circle", "△": "triangle", "▱": "parallelogram", "□": "square"}
_SIGN_OF = {noun: sign for sign, noun in _SIGNS.items()}
_FRACTION = re.compile(r"(?<!\d)(\d+(?:\.\d+)?)\)?\s*[/:]\s*\(?(\d+(?:\.\d+)?)")
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[A-Za-z]+|[半百]")
# What words say in numbers that are no numbers themselves.
_WORDS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(["half", "halves", "半"], (2.0, 0.5, 50.0, 30.0)),
    **dict.fromkeys(["quarter", "quarters"], (4.0, 0.25, 25.0, 15.0)),
    **dict.fromkeys(["twice", "double", "doubled", "both", "couple", "pair"], (2.0,)),
    **dict.fromkeys(["thrice", "triple"], (3.0,)),
    **dict.fromkeys(["百", "hundreds"], (100.0,)),
    "single": (1.0,),
    **dict.fromkeys(["perp", "right", "altitude", "bot", "square", "rectangle"], (90.0,)),
    **dict.fromkeys(["straight", "supplementary"], (180.0,)),
    "equilateral": (60.0, 3.0),
}
_PARTS = frozenset({"half", "halves", "半", "quarter", "quarters"})
_PERPENDICULAR = re.compile("perpendicular|⟂")
# "Some thousands", "15k": of no certain size, or written in too many ways.
_SCALED = re.compile(r"\b(?:thousand|million|billion|trillion)s\b|\d\s?(?:[kKM]|bn|mn)\b")


class Grounds(Enum):
    NOTHING = "none of the fact's names"
    OTHER_NUMBERS = "its names, and not its numbers"
    ALL = "its names and numbers"


def grounds(text: str, fact: str) -> Grounds:
    """What `text` holds of `fact`. Linear in their lengths."""
    said, fact = asserted(text), normalise(fact).text
    found = _held(said.claimed, fact)
    if found is Grounds.ALL and said.stated != said.claimed and _held(said.stated, fact) is not Grounds.ALL:
        return Grounds.OTHER_NUMBERS
    return found


def _held(text: str, fact: str) -> Grounds:
    said = _said(text)
    if not all(_named(name, said, fact) for name in _said(fact).names):
        return Grounds.NOTHING
    if _SCALED.search(text) or _SCALED.search(fact):
        return Grounds.ALL
    numbers = _numbers(text)
    written = all(not ways.isdisjoint(numbers) for ways in _wanted(fact))
    return Grounds.ALL if written else Grounds.OTHER_NUMBERS


@dataclass(frozen=True, slots=True)
class _Name:
    """points: in the order written. angle: whether it names one. figure: the noun in front, where it is a figure's."""

    points: tuple[str, ...]
    angle: bool
    figure: str

    @property
    def key(self) -> tuple[bool, str, tuple[str, ...]]:
        """∠ABC is ∠CBA and not ∠BAC."""
        vertex = self.points[1] if self.angle and len(self.points) == 3 else ""
        return self.angle, vertex, tuple(sorted(self.points))


@dataclass(frozen=True, slots=True)
class _Said:
    """names: all of them. keys: theirs. points: of those that name no angle. alone: of those of one point. words: in
    lower case. definite: nouns of figures as in "the circle"."""

    names: tuple[_Name, ...]
    keys: frozenset[tuple[bool, str, tuple[str, ...]]]
    points: frozenset[str]
    alone: frozenset[str]
    words: frozenset[str]
    definite: frozenset[str]


@lru_cache(maxsize=64)
def _said(text: str) -> _Said:
    names = tuple(_names(text))
    return _Said(
        names,
        frozenset(name.key for name in names),
        frozenset(point for name in names if not name.angle for point in name.points),
        frozenset(name.points[0] for name in names if len(name.points) == 1),
        frozenset(word.lower().removesuffix("s") for word in re.findall(r"[A-Za-z]+|[⊙△▱□]", text)),
        frozenset(noun.lower() for noun in _DEFINITE.findall(text)),
    )


def _names(text: str) -> Iterator[_Name]:
    last, end = _Name((), False, ""), 0
    for match in _NAME.finditer(text):
        if not _ARTICLE.match(text, match.start()):
            before = text[max(end, match.start() - _LONGEST_NOUN) : match.start()]
            figure = _FIGURE.search(before)
            points = points_of(match[0])
            # "Angles ABC and DEF".
            listed = last.angle and len(points) == len(last.points) and _LISTED.fullmatch(before)
            angle = bool(listed or _ANGLE.search(before))
            last, end = _Name(points, angle, _noun(figure[figure.lastindex or 0]) if figure else ""), match.end()
            yield last


def _noun(figure: str) -> str:
    return _SIGNS.get(figure, figure.lower().removesuffix("s"))


def _named(name: _Name, said: _Said, fact: str) -> bool:
    if name.key in said.keys or set(name.points) <= said.points:
        return True
    if "".join(name.points).lower().removesuffix("s") in said.words and len(name.points) > 2:
        # A word in capitals.
        return True
    vertex = name.points[1] if name.angle and len(name.points) == 3 else _corner(fact)
    if vertex in said.alone:
        return True
    if not name.figure:
        return False
    nouns = {name.figure, *(noun.removesuffix("s") for noun in _SHAPE.findall(fact.lower()))}
    if _is_of_another(name, said, nouns):
        return not nouns.isdisjoint(said.definite)
    return any(noun in said.words or _SIGN_OF.get(noun, noun) in said.words for noun in nouns)


def _is_of_another(name: _Name, said: _Said, nouns: set[str]) -> bool:
    """Whether the nouns may stand there for another figure: "ETAN is a trapezoid" is not about ENBW."""
    return any(
        len(other.points) == len(name.points) and (len(name.points) > 2 or other.figure in nouns)
        for other in said.names
        if not other.angle
    )


def _corner(fact: str) -> str:
    """Where the two lines meet that are perpendicular: "a right angle at B" says it of them."""
    lines = [name.points for name in _said(fact).names if len(name.points) == 2]
    if len(lines) == 2 and _PERPENDICULAR.search(fact) and len(shared := set(lines[0]) & set(lines[1])) == 1:
        return shared.pop()
    return ""


def _wanted(fact: str) -> Iterator[set[float]]:
    """For each number of a fact those of which a text has one that gives it: a quarter is also 25 %."""
    text = _NAME.sub(" ", fact)
    words = _WORD.findall(text.lower())
    # One of a thing is "a" thing, and a fact that denies has no number of it.
    free = {1.0} if NEGATIONS.isdisjoint(words) else {0.0, 1.0}
    for number in numbers_in(text):
        value = abs(float(number.value))
        if value not in free:
            yield {value, 100 * value} if number.kind == "fraction" else {value}
    for above, below in _FRACTION.findall(text):
        if float(below):
            yield {float(above) / float(below), 100 * float(above) / float(below)}
    for word in words:
        said = {*_WORDS.get(word, ())} - free
        # Half of it is 50 % or 30 minutes; an equilateral triangle has three sides and 60 degrees.
        yield from [said] if word in _PARTS else ({value} for value in said)
    if _PERPENDICULAR.search(text):
        yield {90.0}


@lru_cache(maxsize=64)
def _numbers(text: str) -> frozenset[float]:
    return frozenset(_every_number(text))


def _every_number(text: str) -> Iterator[float]:
    # The digits of P_1 and of A1 are of a name.
    text = _NAME.sub(" ", text)
    for number in numbers_in(text):
        # The sign is for the model to mind, and which number stands above which.
        yield abs(float(number.value))
        if number.kind == "fraction":
            yield from map(float, _DIGITS.findall(text, number.start, number.end))
    for above, below in _FRACTION.findall(text):
        if value := float(below):
            yield float(above) / value
    for word in _WORD.findall(text.lower()):
        # None, no, not: there are 0 of it.
        yield from (0.0,) if word in NEGATIONS else _WORDS.get(word, ())
    if _PERPENDICULAR.search(text):
        yield 90.0

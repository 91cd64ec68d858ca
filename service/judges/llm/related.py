"""Other words for the terms of geometry: "all three sides are equal" speaks of an equilateral triangle.

Only which sentences a model is shown goes by this, never what they mean: a sentence too many costs some tokens, one too
few costs the verdict. So a term is spoken of by what entails it, what follows from it, and what rules it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import product
from typing import NamedTuple, TypeAlias

from perception_reward.annotations.language.stems import stem

_ByWord: TypeAlias = dict[str, list[tuple[int, frozenset[str]]]]

# Terms, and ways to speak of them. Either is words that all stand in one sentence, in any order; `a|b` is either word.
# Numbers are digits. Not here: triangle, angle, side and what else every response about a figure has.
_WAYS_BY_TERMS = {
    "equilateral, isosceles, scalene, regular, rhombus": (
        "square, equal|equally|same|congruent|identical|different side|leg|edge|angle|length|long, 60 angle|degree|each"
    ),
    "square, rectangle, rhombus, parallelogram, trapezoid, trapezium, kite": (
        "right|90 angle, parallel side, equal|same|congruent|identical side|edge|angle"
    ),
    "perpendicular, perp, bot, ⊥, ⟂, right angle|angled|triangle": (
        "90, square|right corner, square mark|marked|symbol|small|little, rectangle, hypotenuse, vertical horizontal"
    ),
    "acute, obtuse": "90, right angle",
    "complementary": "90",
    "supplementary": "180, straight line|angle",
    "parallel, ∥": (
        "never|not|t|no meet|intersect|cross|touch, line|side|segment meet|intersect|cross, same direction|slope, "
        "distance apart, equidistant, parallelogram, trapezoid, trapezium, rectangle, rhombus"
    ),
    "midpoint, bisect, bisector, median": (
        "equal|same|congruent|identical|2 part|half|halv|piece|portion|section, "
        "middle, halfway, half way, equidistant, equal|same distance|far, divide|split|cut 2|half|halv|equally|evenly"
    ),
    "congruent, cong, ≅": (
        "equal|equally|same|identical|match side|angle|triangle|length|long|segment|size|shape|measure|figure, "
        "equal|same|identical arc|chord, tick"
    ),
    "similar": "same shape|angle, equal angle, proportion, proportional, ratio, scale",
    "diameter": "through|contain center|centre, twice|double|half|2 radius, semicircle, half circle, longest chord",
    "radius, radii": "center|centre distance|to|from, half|twice|double|2 diameter",
    "central": "center|centre",
    "concentric": "same|common center|centre",
    "tangent": "touch, 1|only|single|once point, graze",
    "collinear": "same|straight|one|1 line, row",
    "inscribed, circumscribed, cyclic, concyclic, incircle, circumcircle": (
        "inside|within|around|surround|enclose|on|touch circle|triangle|square|polygon|quadrilateral|hexagon"
    ),
    "hypotenuse": "longest side, opposite right",
    "adjacent": "next|beside|share|common side|vertex|angle, consecutive",
    "shaded": "gray, grey, dark, darker, hatched, colored, coloured, filled",
    "pentagon": "5 side|corner|vertices|vertex",
    "hexagon": "6 side|corner|vertices|vertex",
    "octagon": "8 side|corner|vertices|vertex",
}


class Spoken(NamedTuple):
    """Entries of the table: those of which a text holds a term, and those that it speaks of in any way."""

    terms: frozenset[int]
    ways: frozenset[int]


NOTHING = Spoken(frozenset(), frozenset())


def spoken(words: Set[str]) -> Spoken:
    """What a sentence of these words speaks of. words: stems of all its words, and its numbers as digits."""
    terms = frozenset(_found(words, _TERMS))
    ways = terms.union(_found(words, _WAYS))
    return Spoken(terms, ways) if ways else NOTHING


def related(said: Spoken, wanted: Spoken) -> bool:
    """Whether one has a term that the other speaks of. Two ways to speak of a term are too little in common."""
    return not (said.terms.isdisjoint(wanted.ways) and said.ways.isdisjoint(wanted.terms))


def _found(words: Set[str], by_word: _ByWord) -> Iterator[int]:
    for word in words:
        yield from (entry for entry, others in by_word.get(word, ()) if others <= words)


def _by_word(lines: Iterable[str]) -> _ByWord:
    """By one word of each way: the line it stands in, and the other words."""
    by_word: _ByWord = {}
    for entry, line in enumerate(lines):
        for way in line.split(","):
            for first, *others in product(*(part.split("|") for part in way.split())):
                by_word.setdefault(stem(first), []).append((entry, frozenset(map(stem, others))))
    return by_word


_TERMS = _by_word(_WAYS_BY_TERMS)
_WAYS = _by_word(_WAYS_BY_TERMS.values())

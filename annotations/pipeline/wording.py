"""Statements by their words: what they are about, the values in them, and when two of them say the same.

    said = wording("There are three red balls.")
    said.words          # {'red', 'ball'}
    said.numbers        # (Fraction(3),)
    said.slot           # equal for statements that differ in one value alone

A statement about a figure is known by what it claims (`language.geometry`), any other by its words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from perception_reward.annotations.language.geometry.facts import fact_claims
from perception_reward.annotations.language.geometry.statements import Claim
from perception_reward.annotations.language.numbers import Number, numbers_in
from perception_reward.annotations.language.stems import stem
from perception_reward.annotations.language.values import Value
from perception_reward.annotations.language.word_lists import words

COLOURS = words("""
    red orange yellow green blue purple violet pink brown black white grey gray cyan magenta turquoise beige gold silver
    teal navy maroon
""")
# What says nothing of what a statement is about.
_FUNCTION = words("""
    a an the of in on at to and or is are was were be been being it its this that these those there here has have had
    with by for from as which who what where when than then into onto over under not no do does did can will shows shown
    show image figure picture diagram graph chart see seen we i you they their our also respectively equal equals length
    measure measures value so each
""")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# What stands in front of the value that a statement is about.
_BEFORE_VALUE = re.compile(
    r"(?:\b(?:is|are|was|has|have|shows?|reads?|equals?|measures?|contains?|(?:is|are) (?:labell?ed|marked)|exactly"
    r"|about|worth|(?:is|has|have|with) an? [a-z ]+ of|there are|there is)|[=:]|[$€£])"
    r"\s*(?:the |a |an )?(?:value |length |number )?(?:of )?[$€£]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wording:
    """words: stems of content words, numbers and colours apart. key: equal for statements that say the same. slot:
    equal for those that give the same thing a value, which is `value`; None where there is no such thing."""

    words: frozenset[str]
    numbers: tuple[Fraction, ...]
    colours: tuple[str, ...]
    key: tuple[object, ...]
    slot: tuple[object, ...] | None
    value: object


@lru_cache(maxsize=16384)
def wording(statement: str) -> Wording:
    """How a statement is worded. Never raises."""
    found = list(numbers_in(statement))
    bare = _without(statement, found)
    content = _content(bare)
    colours = tuple(word for word in _words(bare) if word in COLOURS)
    numbers = tuple(number.value for number in found)
    stems = frozenset(map(_stem, content)) - set(colours)
    claims = fact_claims(statement)
    if claims:
        keys = tuple(sorted({repr(_claim_key(claim)) for claim in claims}))
        slot, value = _claim_slot(claims[0]) if len(claims) == 1 else (None, None)
        return Wording(stems, numbers, colours, ("claims", *keys), slot, value)
    # Order tells "AB is left of CD" from "CD is left of AB".
    order = tuple(map(_stem, content))
    key = ("words", order, numbers)
    if found and _BEFORE_VALUE.search(statement[: found[-1].start]):
        return Wording(stems, numbers, colours, key, ("number", order, numbers[:-1]), numbers[-1])
    if len(colours) == 1:
        rest = tuple(one for one in order if one not in colours)
        return Wording(stems, numbers, colours, key, ("colour", rest, numbers), colours[0])
    return Wording(stems, numbers, colours, key, None, None)


@lru_cache(maxsize=4096)
def content_words(text: str) -> frozenset[str]:
    """The stems of a text's content words; numbers are none."""
    return frozenset(map(_stem, _content(_without(text, list(numbers_in(text))))))


@lru_cache(maxsize=4096)
def numbers_of(text: str) -> frozenset[Fraction]:
    return frozenset(number.value for number in numbers_in(text))


def _stem(word: str) -> str:
    """Colours and names in capitals stay as they are."""
    return word if word in COLOURS or word.isupper() else stem(word)


def _content(text: str) -> list[str]:
    return [word for word in _words(text) if word not in _FUNCTION]


def _words(text: str) -> list[str]:
    """In lower case; names in capitals stay as they are, since A is a point and a is none."""
    return [word if word.isupper() and word != "I" else word.lower() for word in _WORD.findall(text)]


def _without(text: str, numbers: list[Number]) -> str:
    for number in reversed(numbers):
        text = f"{text[: number.start]} {text[number.end :]}"
    return text


def _claim_key(claim: Claim) -> tuple[object, ...]:
    if claim.relation == "right":
        return ("value", claim.subject, None, "90")
    return (claim.relation, claim.subject, claim.object, _shown(claim.values[-1][0]) if claim.values else None)


def _claim_slot(claim: Claim) -> tuple[tuple[object, ...] | None, object]:
    if claim.relation == "right":
        return ("value", claim.subject), Fraction(90)
    if claim.relation == "value" and claim.values:
        return ("value", claim.subject), _number(claim.values[-1][0])
    if claim.relation in ("parallel", "perpendicular"):
        return ("lines", claim.subject, claim.object), claim.relation
    return None, None


def _shown(value: Value) -> str:
    return str(_number(value))


def _number(value: Value) -> Fraction | str:
    """A number, whatever it was written with; an expression as it was read."""
    terms = value.terms
    return Fraction(terms[0][1]) if len(terms) == 1 and terms[0][0] == ((), 1) else repr(terms)

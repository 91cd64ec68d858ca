"""What a sentence about a figure states, in whatever words: `AB = 5`, "The length of AB is 5 cm", `m∠ABC = 70°`.

    statement_of("The measure of angle ABC is 70°.") == statement_of("Angle ABC measures 70 degrees.")

Models that extract facts do not write our sentences; this reads theirs by the rules by which responses are read. It
reads nothing into a sentence: one that states two things, or more than is read, or calls an angle by its vertex alone,
states nothing here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from perception_reward.annotations.english import read_sentence
from perception_reward.annotations.language.geometry.elements import Element
from perception_reward.annotations.language.geometry.facts import fact_claims
from perception_reward.annotations.language.geometry.statements import Claim
from perception_reward.annotations.language.quantities import Quantity, QuantityError, read_quantity
from perception_reward.annotations.language.sentences import read
from perception_reward.annotations.language.units import is_degrees
from perception_reward.annotations.language.values import Value
from perception_reward.annotations.language.word_lists import words
from perception_reward.annotations.statements import Figure, Statement

# Of a figure's element, the sort of its figure, and the kind of a statement that gives it a value.
_SORTS = {"segment": "segment", "angle": "angle", "mark": "label", "arc": "arc", "circle": "circle", "point": "point"}
_MEASURED = {"segment": "length", "angle": "angle", "mark": "angle", "arc": "arc"}
_OF_CIRCLES = frozenset({"radius", "diameter", "circumference"})
# By relation and what it holds between.
RELATIONS = {
    ("equal", "segment", "segment"): "equal_length",
    ("equal", "angle", "angle"): "equal_angle",
    ("equal", "arc", "arc"): "equal_arc",
    ("perpendicular", "segment", "segment"): "perpendicular",
    ("parallel", "segment", "segment"): "parallel",
    ("tangent", "segment", "circle"): "tangent",
    ("on", "point", "segment"): "on_line",
    ("on", "point", "circle"): "on_circle",
}
# Words around a statement that state nothing.
_AROUND = words("""
    in on from the a this that of figure diagram image picture drawing we i you can see seen shows shown it is are here
    there point line segment side unit units long length measure size value to each other
""")
_ABOUT = re.compile(
    r"\b(?:about|approximately|approx|around|nearly|almost|over|under)\b|[≈~≲≳±]|\\approx", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+")
_SIZE_OF_ARC = re.compile(r"\b(minor|major) arc\b", re.IGNORECASE)


@lru_cache(maxsize=8192)
def statement_of(text: str) -> Statement | None:
    """The one statement that a text makes; None where it makes none or several, or says more. Never raises."""
    if (statement := read_sentence(text)) is not None:
        return statement
    found, sentences = fact_claims(text), read(text).sentences
    if len(found) != 1 or len(sentences) != 1 or _ABOUT.search(text):
        return None
    said, [claim] = sentences[0].text, found
    around = _WORD.findall(f"{said[: claim.start]} {said[claim.end :]}".lower())
    if not _AROUND.issuperset(around):
        return None
    return _value(claim, text) if claim.relation in ("value", "right") else _relation(claim)


def _value(claim: Claim, text: str) -> Statement | None:
    named = claim.subject
    if claim.relation == "right":
        figure = _figure(named) if named.kind == "angle" else None
        return Statement("angle", (figure,), read_quantity("90")) if figure else None
    if len(claim.values) != 1:
        return None
    [(value, unit)] = claim.values
    quantity = _quantity(value)
    if named.kind in _OF_CIRCLES and len(named.points) == 1:
        kind, figure = named.kind, Figure("circle", named.points)
    else:
        kind, figure = _MEASURED.get(named.kind), _figure(named)
    if quantity is None or kind is None or figure is None:
        return None
    if named.kind == "arc":
        sized = _SIZE_OF_ARC.search(text)
        figure = Figure(f"{sized[1].lower()} arc", figure.points) if sized else figure
        kind = "arc_length" if unit and not is_degrees(unit) else kind
    elif kind == "angle" and unit and not is_degrees(unit):
        return None
    return Statement(kind, (figure,), quantity)


def _relation(claim: Claim) -> Statement | None:
    if claim.object is None:
        return None
    kind = RELATIONS.get((claim.relation, claim.subject.kind, claim.object.kind))
    first, second = _figure(claim.subject), _figure(claim.object)
    return Statement(kind, (first, second)) if kind and first and second else None


def _figure(named: Element) -> Figure | None:
    sort = _SORTS.get(named.kind)
    points = (named.name,) if sort == "label" else named.points
    return Figure(sort, points) if sort is not None and points else None


def _quantity(value: Value) -> Quantity | None:
    """The same value as a diagram's quantity."""
    parts = (
        "*".join((f"({factor})", f"sqrt({root})", *(f"{name}^{power}" for name, power in powers)))
        for (powers, root), factor in value.terms
    )
    try:
        return read_quantity(" + ".join(parts))
    except QuantityError:
        return None

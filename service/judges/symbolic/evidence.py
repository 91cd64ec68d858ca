"""What a document says about one claim of a fact: the claims that bear it out and those that rule it out.

AB ⟂ BC, a right angle at B, ∠ABC = 90° and what "rectangle ABCD" says of B are one fact.
At most `MOST_WEIGHED` claims are weighed for one of a fact's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from perception_reward.annotations.language.geometry.elements import Element
from perception_reward.annotations.language.geometry.statements import Claim
from perception_reward.annotations.language.units import comparable
from perception_reward.annotations.language.values import Value, close, same
from perception_reward.annotations.language.word_lists import words
from perception_reward.service.judges.symbolic.claims import Claims, corner_of

MOST_WEIGHED = 256

_RIGHT = Value(((((), 1), Fraction(90)),))

SHAPES = words("square rectangle rhombus parallelogram trapezoid kite isosceles equilateral right_triangle")


@dataclass(frozen=True, slots=True)
class Bearing:
    """A claim that bears on a fact.

    agrees: whether it says the same.
    weight: how directly it does, in (0, 1]: 1 names the element in full, less where a name leaves room.
    firm: of a disagreement, whether both cannot be true; a value derived for an unknown is not firm.
    """

    claim: Claim
    agrees: bool
    weight: float = 1.0
    firm: bool = True


def evidence_for(claim: Claim, claims: Claims) -> tuple[list[Bearing], bool]:
    """The evidence in a document about one claim of a fact, and whether there is more than is weighed."""
    found = list(islice(_about(claim, claims), MOST_WEIGHED + 1))
    return found[:MOST_WEIGHED], len(found) > MOST_WEIGHED


def _about(claim: Claim, claims: Claims) -> Iterator[Bearing]:
    if claim.relation == "value":
        yield from _about_value(claim, claims)
    elif corner := corner_of(claim):
        yield from _about_corner(corner, claims)
        yield from _opposite(claim, claims)
    else:
        yield from _FINDERS.get(claim.relation, _about_relation)(claim, claims)


# --- values -----------------------------------------------------------------------------------------------------


def _about_value(fact: Claim, claims: Claims) -> Iterator[Bearing]:
    if fact.subject.kind in ("side", "angle?"):
        yield from _of_any(fact, claims)
        return
    for name, weight in _synonyms(fact.subject, claims):
        for claim in claims.of_element.get(name, ()):
            yield _compared(fact, claim, weight)
    if fact.subject.kind == "angle" and same(fact.values[0][0], _RIGHT):
        yield from (found for found in _about_corner(fact.subject.points, claims) if found.claim.relation != "value")


def numbered(fact: Claim, claims: Claims) -> list[Bearing]:
    """What bears on the number that stands in an angle: "∠3 is ∠ABC"."""
    return [_compared(fact, claim, 1.0) for claim in claims.about("numbered", fact.subject)]


def _synonyms(named: Element, claims: Claims) -> Iterator[tuple[Element, float]]:
    """The names under which a document may speak of an element, with the weight of each."""
    yield named, 1.0
    if named.kind == "angle":
        points = named.points
        if len(points) == 3:
            yield Element("vertex", points[1]), 0.9
    elif named.kind == "vertex":
        for other in claims.angles_at(named.name):
            yield other, 0.85
    elif named.kind == "segment":
        for kind in ("radius", "diameter"):
            for claim in claims.about(kind, named):
                yield Element(kind, claim.object.name if claim.object else ""), 0.85
    elif named.kind in ("radius", "diameter", "area", "perimeter", "circumference", "central angle"):
        if named.name:
            yield Element(named.kind, ""), 0.85
        for other in claims.valued(named.kind) if not named.name else ():
            if other.name:
                yield other, 0.9
        for claim in claims.parts(named.kind, named.name):
            if claim.subject.kind == "segment":
                yield claim.subject, 0.85


def _compared(fact: Claim, claim: Claim, weight: float) -> Bearing:
    """A value claimed for the fact's element, against the fact's value."""
    value, unit = fact.values[0]
    verdicts = [_agreement(value, unit, other, other_unit) for other, other_unit in claim.values]
    last = verdicts[-1]
    if last == "same" or (not value.variables and last == "open" and "same" in verdicts):
        return Bearing(claim, True, weight)
    if "close" in verdicts and "same" not in verdicts:
        return Bearing(claim, True, weight * 0.9)
    if "same" in verdicts:
        written_out = value.variables or len(claim.values[verdicts.index("same")][0].terms) > 1
        return Bearing(claim, bool(written_out), weight)
    return Bearing(claim, False, weight, firm="differs" in verdicts)


def _agreement(value: Value, unit: str, other: Value, other_unit: str) -> str:
    """same, close (rounded), differs, or open (one is an expression in unknowns and the other is a number)."""
    pair = comparable(value, unit, other, other_unit)
    if pair is None:
        return "differs"
    if same(*pair):
        return "same"
    if close(*pair):
        return "close"
    if bool(value.variables) != bool(other.variables):
        return "open"
    return "differs"


def _of_any(fact: Claim, claims: Claims) -> Iterator[Bearing]:
    """ "One side measures 12": any side will do, unless a response tries many values."""
    kinds = (
        ("side", "segment", "leg", "label") if fact.subject.kind == "side" else ("angle?", "angle", "vertex", "mark")
    )
    about = (claim for name in claims.of_element if name.kind in kinds for claim in claims.of_element[name])
    found = [_compared(fact, claim, 0.9) for claim in islice(about, MOST_WEIGHED + 1)]
    if any(item.agrees for item in found) and len(found) <= 8:
        yield from (item for item in found if item.agrees)
    else:
        yield from found


# --- right angles -----------------------------------------------------------------------------------------------


def _about_corner(corner: tuple[str, ...], claims: Claims) -> Iterator[Bearing]:
    """What bears on whether the corner (end, vertex, end) is a right angle."""
    vertex = corner[1]
    for claim in claims.right_angles(corner):
        yield from _right_there(claim, corner)
    for name, weight in ((Element("angle", "".join(corner)), 1.0), (Element("vertex", vertex), 0.85)):
        for claim in claims.of_element.get(name, ()):
            angle = Claim("value", name, None, ((_RIGHT, "°"),), "asserted", 0, 0, 0)
            yield _compared(angle, claim, weight)
    for name in claims.angles_among(corner):
        if name.points[1] != vertex:
            yield from (Bearing(claim, False, 0.9) for claim in claims.of_element[name] if _is_right(claim))
    for shape in ("rectangle", "square"):
        for claim in claims.cornered(shape, corner):
            yield Bearing(claim, True, 0.95)


def _right_there(claim: Claim, corner: tuple[str, ...]) -> Iterator[Bearing]:
    said = corner_of(claim)
    if said:
        if {said[0], said[2]} == {corner[0], corner[2]} and said[1] == corner[1]:
            yield Bearing(claim, True)
        elif set(said) == set(corner):
            yield Bearing(claim, False, 0.95)
    elif claim.subject.kind == "vertex":
        if claim.subject.name == corner[1]:
            yield Bearing(claim, True, 0.92)
        elif claim.subject.name in corner:
            yield Bearing(claim, False, 0.8)


def _is_right(claim: Claim) -> bool:
    return any(same(value, _RIGHT) for value, _ in claim.values)


# --- other relations --------------------------------------------------------------------------------------------


def _about_relation(fact: Claim, claims: Claims) -> Iterator[Bearing]:
    """A relation stated in so many words."""
    for claim in claims.about(fact.relation, fact.subject):
        if _compatible(fact.object, claim.object):
            yield Bearing(claim, True)
    yield from _opposite(fact, claims)
    other_part = {"diameter": "radius", "radius": "diameter"}.get(fact.relation)
    for claim in claims.about(other_part, fact.subject) if other_part else ():
        yield Bearing(claim, False, 0.9)


def _opposite(fact: Claim, claims: Claims) -> Iterator[Bearing]:
    """Perpendicular lines are not parallel."""
    opposite = {"parallel": "perpendicular", "perpendicular": "parallel"}.get(fact.relation)
    for claim in claims.about(opposite, fact.subject) if opposite else ():
        if claim.object == fact.object:
            yield Bearing(claim, False)


def _compatible(one: Element | None, other: Element | None) -> bool:
    return one is None or other is None or one == other or (one.kind == other.kind and "" in (one.name, other.name))


def _about_equality(fact: Claim, claims: Claims) -> Iterator[Bearing]:
    yield from _about_relation(fact, claims)
    one, other = fact.subject, fact.object
    if other is None:
        return
    if one.kind == other.kind == "angle":
        for claim in claims.equating(Element("vertex", one.points[1]), Element("vertex", other.points[1])):
            yield Bearing(claim, True, 0.9)
    for first in claims.of_element.get(one, ()):
        for second in claims.of_element.get(other, ())[:8]:
            (left, unit), (right, right_unit) = first.values[-1], second.values[-1]
            agreement = _agreement(left, unit, right, right_unit)
            if agreement == "same":
                yield Bearing(second, True, 0.8)
            elif agreement == "differs" and not left.variables:
                yield Bearing(second, False, 0.8)


def _about_midpoint(fact: Claim, claims: Claims) -> Iterator[Bearing]:
    yield from _about_relation(fact, claims)
    if fact.object is None or fact.object.kind != "segment":
        return
    halves = {Element("segment", "".join(sorted((fact.subject.name, end)))) for end in fact.object.points}
    for claim in claims.equating(min(halves), max(halves)):
        yield Bearing(claim, True, 0.7)


_FINDERS: dict[str, Callable[[Claim, Claims], Iterator[Bearing]]] = {
    "equal": _about_equality,
    "midpoint": _about_midpoint,
}

"""What a sentence says about a figure: claims, each with the place that carries it and its mood.

Facts and responses are read by the same rules. A claim is a relation between elements, or a value of an element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from perception_reward.annotations.language.geometry.chains import Said, chains
from perception_reward.annotations.language.geometry.elements import Element, angle_of
from perception_reward.annotations.language.geometry.gaps import DENIED_BY, Gap
from perception_reward.annotations.language.geometry.groups import INFIX, Group, groups_of
from perception_reward.annotations.language.geometry.items import Item, Line, read_items
from perception_reward.annotations.language.moods import Mood
from perception_reward.annotations.language.sentences import Document, Sentence
from perception_reward.annotations.language.units import is_degrees
from perception_reward.annotations.language.values import Value


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement.

    relation: value, equal, perpendicular, parallel, right, on, between, tangent, midpoint, bisector, similar, …
    subject, object: the elements; symmetric relations hold them sorted.
    values: of a value claim, the sides of its chain of equations ("= 2·5 = 10" has two), with their units.
    mood: how it is said; where: [start, end) in the sentence's text; index: of the sentence.
    """

    relation: str
    subject: Element
    object: Element | None
    values: tuple[tuple[Value, str], ...]
    mood: Mood
    start: int
    end: int
    index: int


def claims(document: Document, letters: frozenset[str] = frozenset()) -> list[Claim]:
    """The claims of a document in reading order; with `letters`, of the sentences with one in a name."""
    names = re.compile(f"[{''.join(sorted(letters))}](?![a-z])" if letters else "")
    return [
        claim
        for index, sentence in enumerate(document.sentences)
        if names.search(sentence.text)
        for claim in _sentence_claims(sentence, index)
    ]


def _sentence_claims(sentence: Sentence, index: int) -> Iterator[Claim]:
    line = read_items(sentence.text)
    if not line.items:
        return
    groups = groups_of(line)
    for relation, subject, other, values, start, end in _said(line, groups):
        if relation == "value" and subject.kind == "segment" and is_degrees(values[-1][1]):
            continue
        mood = sentence.mood(start, end)
        if relation in DENIED_BY:
            if mood == "negated":
                continue
            relation, mood = DENIED_BY[relation], "negated" if mood in ("asserted", "weak") else mood
        subject, other = _settled(relation, subject, values), other and _settled(relation, other, values)
        first, second = _sorted(relation, subject, other)
        yield Claim(relation, first, second, values, mood, start, end, index)


def _settled(relation: str, named: Element, values: tuple[tuple[Value, str], ...]) -> Element:
    """What a bare name means in its claim: ABC is an angle with 50°, a triangle when isosceles, B a vertex."""
    angular = relation == "right" or any(is_degrees(unit) for _, unit in values)
    if angular and named.kind in ("point", "three"):
        return angle_of(named.points) or named
    if named.kind == "three" and relation in _OF_TRIANGLES:
        return Element("triangle", "".join(sorted(named.points)))
    return named


_OF_TRIANGLES = frozenset({"isosceles", "equilateral", "right_triangle", "similar", "congruent"})

_SYMMETRIC = frozenset({"equal", "perpendicular", "parallel", "similar", "congruent"})


def _sorted(relation: str, one: Element, other: Element | None) -> tuple[Element, Element | None]:
    if other is not None and relation in _SYMMETRIC and other < one:
        return other, one
    return one, other


def _said(line: Line, groups: list[Group]) -> Iterator[Said]:
    yield from chains(line, groups)
    if not any(item.element for item in line.items) and "⟂" not in line.text and "∥" not in line.text:
        return
    for left, right in pairwise(groups):
        yield from _related(line, left, line.gaps[right.first], right)
    for group in groups:
        yield from _described(line, group)


def _located(gap: Gap, before: Item, after: Item) -> bool:
    """ "D is on AB": a point is never equal to a line."""
    points = before.element is not None and before.element.kind == "point"
    return points and after.element is not None and after.element.kind != "point"


def _related(line: Line, left: Group, gap: Gap, right: Group) -> Iterator[Said]:
    """A relation between neighbouring groups: AB ∥ CD; D lies on AB; "D is the midpoint of AB"."""
    relation = "on" if _stands_on(line, left, gap, right) else gap.between
    after = line.gaps[right.stop]
    crossing = relation == "meets" and after.tail == "perpendicular"
    relation = "perpendicular" if crossing else relation
    if relation == "divides" and after.hints & {"equal", "congruent", "halves", "half"}:
        relation = "bisector"
    if relation == "divides" and _points(line, left):
        relation = "on"
    if relation not in INFIX:
        return
    rights = line.items[right.first : right.stop]
    lefts = line.items[left.first : left.stop]
    start, end = lefts[0].start, rights[-1].end + (after.reach if crossing else 0)
    if (
        relation == "between"
        and len(rights) == 2
        and all(item.element and item.element.kind == "point" for item in rights)
    ):
        points = "".join(sorted(item.element.name for item in rights if item.element))
        rights = (Item("element", rights[0].start, end, Element("segment", points)),)
        relation = "midpoint" if gap.hints & {"halfway", "midway"} else "on"
    for one in lefts:
        for other in rights:
            first, second = _line_or(one, relation), _line_or(other, relation)
            if first and second:
                yield from _relate(relation, gap, first, second, start, end)


def _points(line: Line, group: Group) -> bool:
    """Whether a group names points: "D divides AB" puts D on AB."""
    return all(item.element and item.element.kind == "point" for item in line.items[group.first : group.stop])


def _line_or(item: Item, relation: str) -> Element | None:
    """The item's element; in "l ∥ m" a letter is a line."""
    letter = item.value is not None and not item.unit and relation in ("parallel", "perpendicular")
    if letter and item.value and len(item.value.variables) == 1 and len(item.value.terms) == 1:
        return Element("label", next(iter(item.value.variables)))
    return item.element


def _stands_on(line: Line, left: Group, gap: Gap, right: Group) -> bool:
    if not gap.hints & {"on", "in", "∈", "belongs", "along"} or gap.between not in ("link", "place"):
        return False
    return _located(gap, line.items[left.first], line.items[right.first])


_MEASURED = frozenset({"segment", "angle", "arc", "vertex", "mark"})

_TOUCHING = frozenset({"on", "along", "at", "belongs", "belong", "in"})


def _relate(relation: str, gap: Gap, one: Element, other: Element, start: int, end: int) -> Iterator[Said]:
    if relation == "unlike" and (one.kind != other.kind or one.kind not in _MEASURED):
        return
    if relation == "apart_from_circle" and (one.kind, other.kind) != ("point", "circle"):
        return
    if relation == "off" and other.kind == "point":
        one, other = other, one
    if relation == "off" and (one.kind != "point" or other.kind not in ("segment", "circle", "label")):
        return
    if relation == "place" and not gap.hints & _TOUCHING:
        return
    if relation in ("on", "place", "between"):
        if one.kind == "point" and other.kind in ("segment", "circle", "label"):
            yield "on", one, other, (), start, end
        elif gap.hints & {"through", "contains", "contain", "passes", "pass"} and other.kind == "point":
            yield "on", other, one, (), start, end
        return
    if relation == "bisector" and one.kind == "point":
        relation = "midpoint"
    if relation == "midpoint" and one.kind == "segment" and other.kind == "segment":
        relation = "bisector"
    if relation == "perpendicular" and gap.hints & {"angle", "angles"} and "right" not in gap.hints:
        return
    if relation == "tangent" and one.kind == "circle":
        one, other = other, one
    if relation == "tangent" and other.kind == "point":
        yield relation, one, None, (), start, end
        return
    if relation == "congruent" and one.kind != "triangle":
        relation = "equal"
    yield relation, one, other, (), start, end


_GROUP_RELATIONS = {"perpendicular", "parallel", "congruent", "similar", "unlike"}


def _described(line: Line, group: Group) -> Iterator[Said]:
    """What stands around a group: "∠ABC is a right angle", "AB and CD are parallel", "the square corner at B"."""
    items = line.items[group.first : group.stop]
    after, before = line.gaps[group.stop], line.gaps[group.first]
    infix = after.between in INFIX and group.stop < len(line.items)
    start = items[0].start
    end = items[-1].end + after.reach
    end = min(end, line.items[group.stop].start if group.stop < len(line.items) else len(line.text))
    named = [item.element for item in items if item.element]
    if after.tail in _GROUP_RELATIONS and len(named) > 1 and not infix:
        for one, other in combinations(named[:8], 2):
            relation = "equal" if after.tail == "congruent" and one.kind != "triangle" else after.tail
            yield relation, one, other, (), start, end
    elif after.tail in _GROUP_RELATIONS and len(named) == 1 and group.first and before.between in _GROUP_RELATIONS:
        # "AB is parallel to CD, not perpendicular"
        first = line.items[group.first - 1]
        if first.element:
            yield after.tail, first.element, named[0], (), first.start, end
    elif after.tail and after.tail not in _GROUP_RELATIONS and not infix:
        for one in named:
            yield after.tail, one, None, (), start, end
    if before.lead == "right_at":
        for one in named:
            yield "right", one, None, (), start, items[-1].end
    for item in items:
        yield from _roles(item)


_SHAPES = ("isosceles", "equilateral", "rhombus", "rectangle", "square", "parallelogram", "trapezoid", "kite",
           "diameter",            "radius", "chord", "hypotenuse", "diamond", "tangent", "leg", "center")  # fmt: skip


def _roles(item: Item) -> Iterator[Said]:
    """What the word in front of a name says of it: "right triangle ABC", "diameter AB"."""
    role, named = item.role, item.element
    if not role or named is None or not named.name:
        return
    if role.startswith("right") and named.kind == "triangle":
        yield "right_triangle", named, None, (), item.start, item.end
    elif role.startswith("right") and named.kind in ("angle", "vertex"):
        yield "right", named, None, (), item.start, item.end
    for shape in _SHAPES:
        if shape in role:
            yield {"diamond": "rhombus"}.get(shape, shape), named, None, (), item.start, item.end

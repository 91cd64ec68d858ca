"""What a sentence says about a figure: claims, each with the place that carries it and its mood.

Facts and responses are read by the same rules. A claim is a relation between elements, or a value of an element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, pairwise
from typing import TypeAlias

from perception_reward.service.judges.symbolic.contrasts import readings
from perception_reward.service.judges.symbolic.document import Document, Sentence
from perception_reward.service.judges.symbolic.gaps import DENIED_BY, Gap
from perception_reward.service.judges.symbolic.items import Item, Line, read_items
from perception_reward.service.judges.symbolic.moods import Mood
from perception_reward.service.judges.symbolic.names import Element, angle_of, segment
from perception_reward.service.judges.symbolic.units import is_degrees
from perception_reward.service.judges.symbolic.values import Value

# A document has at most so many second readings; those of further contrasts are left out.
MAX_SECOND_READINGS = 256


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
    found: list[Claim] = []
    left = MAX_SECOND_READINGS
    for index, sentence in enumerate(document.sentences):
        if names.search(sentence.text):
            second = list(islice(readings(sentence.text), left))
            left -= len(second)
            found += sentence_claims(sentence, index, second)
    return found


def sentence_claims(sentence: Sentence, index: int, second: Sequence[str] = ()) -> list[Claim]:
    """The claims of one sentence, and those that its second readings add."""
    found = list(_plain_claims(sentence, index))
    for text in second:
        found += [claim for claim in _plain_claims(replace(sentence, text=text), index) if claim not in found]
    return found


def _plain_claims(sentence: Sentence, index: int) -> Iterator[Claim]:
    line = read_items(sentence.text)
    if not line.items:
        return
    groups = _groups(line)
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


@dataclass(frozen=True, slots=True)
class _Group:
    """Neighbouring items of one kind in a list ("AB, BC and CA"), items[first:stop]."""

    first: int
    stop: int
    choice: bool


def _groups(line: Line) -> list[_Group]:
    groups: list[_Group] = []
    for index, item in enumerate(line.items):
        gap = line.gaps[index]
        if groups and gap.between in ("list", "or") and _alike(line.items[index - 1], item):
            last = groups.pop()
            groups.append(_Group(last.first, index + 1, last.choice or gap.between == "or"))
        else:
            groups.append(_Group(index, index + 1, False))
    return [part for group in groups for part in _apart(line, group)]


def _apart(line: Line, group: _Group) -> list[_Group]:
    """A list with relations on both sides is no list: "AB ∥ CD and EF ⟂ GH", "AB = 5, BC = 12"."""
    several = group.stop - group.first > 1 and group.first > 0 and group.stop < len(line.items)
    if several and _joins(line.gaps[group.first]) and _joins(line.gaps[group.stop]):
        return [_Group(index, index + 1, False) for index in range(group.first, group.stop)]
    return [group]


def _joins(gap: Gap) -> bool:
    return gap.between == "link" or gap.between in _INFIX


def _alike(one: Item, other: Item) -> bool:
    if one.kind != other.kind:
        return False
    if one.element and other.element:
        similar = ("angle", "vertex", "mark", "three")
        kinds = one.element.kind, other.element.kind
        return kinds[0] == kinds[1] or all(kind in similar for kind in kinds)
    return True


_Said: TypeAlias = "tuple[str, Element, Element | None, tuple[tuple[Value, str], ...], int, int]"


def _said(line: Line, groups: list[_Group]) -> Iterator[_Said]:
    yield from _chains(line, groups)
    if not any(item.element or item.parts for item in line.items) and "⟂" not in line.text and "∥" not in line.text:
        return
    for left, right in pairwise(groups):
        yield from _related(line, left, line.gaps[right.first], right)
    for group in groups:
        yield from _described(line, group)
    yield from _sums(line)
    yield from _angled(line)
    yield from _distances(line)


def _chains(line: Line, groups: list[_Group]) -> Iterator[_Said]:
    """Runs of groups joined by links: AB = CD = 7; "AB and BC are 5 and 12"; "5 is the length of AB"."""
    start = 0
    while start < len(groups):
        stop = start + 1
        while stop < len(groups) and _links(line, groups[stop - 1], groups[stop]):
            stop += 1
        if stop - start > 1:
            yield from _chain(line, groups[start:stop])
        start = stop


def _links(line: Line, left: _Group, right: _Group) -> bool:
    gap = line.gaps[right.first]
    before, after = line.items[right.first - 1], line.items[right.first]
    if gap.between == "link":
        return _measurable(before, after)
    if before.element and after.element:
        return gap.hints <= _APPOSING and before.element.kind == "segment" and after.element.kind in _PARTS
    if before.kind == "element" and after.kind == "value":
        return gap.between in ("operator", "of", "has", "place", "aside")
    if gap.between == "between":
        return before.kind == "value" and after.element is not None and after.element.kind == "angle"
    return gap.between in ("place", "of", "on") and before.kind == "value" and after.kind == "element"


_APPOSING = frozenset({",", "a", "an", "the", "as", "is", ":"})
_LENGTHS = frozenset(
    ["segment", "radius", "diameter", "label", "side", "leg", "hypotenuse", "base", "height", "altitude", "width"]
)
_ANGLES = frozenset({"angle", "vertex", "mark", "arc", "angle?", "central angle", "three"})


def _measurable(before: Item, after: Item) -> bool:
    """Whether two items can be equal: a point is never equal to a line."""
    if before.element is None or after.element is None:
        return True
    if before.role.endswith(" of") or after.role.endswith(" of"):
        return True
    one, other = before.element.kind, after.element.kind
    return one == other or {one, other} <= _LENGTHS or {one, other} <= _ANGLES


def _located(gap: Gap, before: Item, after: Item) -> bool:
    """ "D is on AB": a point is never equal to a line."""
    points = before.element is not None and before.element.kind == "point"
    return points and after.element is not None and after.element.kind != "point"


def _chain(line: Line, groups: list[_Group]) -> Iterator[_Said]:
    items = line.items
    if len(groups) == 2 and groups[0].stop - groups[0].first > 1:
        yield from _pairs(line, groups[0], groups[1])
        return
    if len(groups) == 2 and groups[1].stop - groups[1].first > 1 and items[groups[0].first].kind == "value":
        yield from _pairs(line, groups[1], groups[0])
        return
    members = [_nearest(groups, position) for position in range(len(groups))]
    start, end = items[members[0][0]].start, items[members[-1][-1]].end
    flat = [items[index] for member in members for index in member]
    values = [(item.value, item.unit) for item in flat if item.kind == "value" and item.value]
    elements = [item for item in flat if item.element is not None]
    if flat[-1].kind == "value" and line.gaps[members[-1][-1] + 1].tail == "compared":
        return
    several = len(members[-1]) > 1 and values and line.gaps[groups[-1].first].between == "link"
    if not several and items[groups[-1].first].kind == "value":
        values = values[: len(values) - len(members[-1]) + 1]
    for item in elements:
        if item.element and values:
            if several:
                for value in values:
                    yield "value", item.element, None, (value,), start, end
            else:
                yield "value", item.element, None, tuple(values), min(item.start, start), end
    for one, other in pairwise(elements):
        yield from _identified(one, other, start, end)
    if not elements and flat and flat[0].value:
        yield from _variable(flat, start, end)


def _identified(left: Item, right: Item, start: int, end: int) -> Iterator[_Said]:
    """Two elements linked: equal in measure, or one named by its part ("AB is a diameter")."""
    one, other = left.element, right.element
    if one is None or other is None:
        return
    for item, whole, named in ((left, one, other), (right, other, one)):
        if item.role.endswith(" of"):
            yield item.role.removesuffix(" of"), named, whole, (), start, end
            return
    for named, part in ((one, other), (other, one)):
        if named.kind == "segment" and part.kind in _PARTS:
            yield part.kind, named, Element("circle", part.name) if part.name else None, (), start, end
            return
    relation = "congruent" if one.kind == other.kind == "triangle" else "equal"
    yield relation, one, other, (), start, end


_PARTS = frozenset({"diameter", "radius", "hypotenuse", "leg", "base"})


def _nearest(groups: list[_Group], position: int) -> tuple[int, ...]:
    """The members of a group that a chain reaches: all of the last, the nearest of the others."""
    group = groups[position]
    if position == 0:
        return (group.stop - 1,)
    if position == len(groups) - 1:
        return tuple(range(group.first, group.stop))
    return (group.first,)


def _variable(flat: list[Item], start: int, end: int) -> Iterator[_Said]:
    first = flat[0].value
    if first is None or len(first.terms) != 1 or len(first.variables) != 1:
        return
    (powers, radicand), factor = first.terms[0]
    if factor == 1 and radicand == 1 and len(powers) == 1 and powers[0][1] == 1:
        values = tuple((item.value, item.unit) for item in flat[1:] if item.value)
        if values:
            yield "value", Element("variable", powers[0][0]), None, values, start, end


def _pairs(line: Line, elements: _Group, values: _Group) -> Iterator[_Said]:
    """A list of elements linked with one value for all, or with as many values as elements."""
    named = line.items[elements.first : elements.stop]
    given = line.items[values.first : values.stop]
    start, end = min(named[0].start, given[0].start), max(named[-1].end, given[-1].end)
    gap = line.gaps[max(elements.first, values.first)]
    if len(given) == 1 and gap.symbol:
        named = named[-1:]
        start = named[0].start
    if len(given) not in (1, len(named)):
        return
    for position, item in enumerate(named):
        mate = given[position if len(given) > 1 else 0]
        if item.element and mate.value:
            yield "value", item.element, None, ((mate.value, mate.unit),), start, end
        elif item.element and mate.element:
            yield from _identified(item, mate, start, end)


_INFIX = frozenset(
    [
        "perpendicular",
        "parallel",
        "congruent",
        "similar",
        "tangent",
        "bisector",
        "midpoint",
        "diameter",
        "radius",
        "chord",
        "center",
        "inscribed",
        "between",
        "on",
        "place",
        "off",
        "unlike",
        "apart_from_circle",
    ]
)


def _related(line: Line, left: _Group, gap: Gap, right: _Group) -> Iterator[_Said]:
    """A relation between neighbouring groups: AB ∥ CD; D lies on AB; "D is the midpoint of AB"."""
    relation = "on" if _stands_on(line, left, gap, right) else gap.between
    after = line.gaps[right.stop]
    crossing = relation == "meets" and after.tail == "perpendicular"
    relation = "perpendicular" if crossing else relation
    if relation == "divides" and after.hints & {"equal", "congruent", "halves", "half"}:
        relation = "bisector"
    if relation == "divides" and _points(line, left):
        relation = "on"
    if relation not in _INFIX:
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


def _points(line: Line, group: _Group) -> bool:
    """Whether a group names points: "D divides AB" puts D on AB."""
    return all(item.element and item.element.kind == "point" for item in line.items[group.first : group.stop])


def _line_or(item: Item, relation: str) -> Element | None:
    """The item's element; in "l ∥ m" a letter is a line."""
    letter = item.value is not None and not item.unit and relation in ("parallel", "perpendicular")
    if letter and item.value and len(item.value.variables) == 1 and len(item.value.terms) == 1:
        return Element("label", next(iter(item.value.variables)))
    return item.element


def _stands_on(line: Line, left: _Group, gap: Gap, right: _Group) -> bool:
    if not gap.hints & {"on", "in", "∈", "belongs", "along"} or gap.between not in ("link", "place"):
        return False
    return _located(gap, line.items[left.first], line.items[right.first])


_MEASURED = frozenset({"segment", "angle", "arc", "vertex", "mark"})
_TOUCHING = frozenset({"on", "along", "at", "belongs", "belong", "in"})


def _relate(relation: str, gap: Gap, one: Element, other: Element, start: int, end: int) -> Iterator[_Said]:
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


def _described(line: Line, group: _Group) -> Iterator[_Said]:
    """What stands around a group: "∠ABC is a right angle", "AB and CD are parallel", "the square corner at B"."""
    items = line.items[group.first : group.stop]
    after, before = line.gaps[group.stop], line.gaps[group.first]
    infix = after.between in _INFIX and group.stop < len(line.items)
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
    if after.tail == "collinear" and len(named) == 3 and all(one.kind == "point" for one in named):
        yield from _collinear((named[0].name, named[1].name, named[2].name), start, end)
    if before.lead == "right_at":
        for one in named:
            yield "right", one, None, (), start, items[-1].end
    for item in items:
        yield from _roles(item)


_SHAPES = ("isosceles", "equilateral", "rhombus", "rectangle", "square", "parallelogram", "trapezoid", "kite",
           "diameter",            "radius", "chord", "hypotenuse", "diamond", "tangent", "leg", "center")  # fmt: skip


def _roles(item: Item) -> Iterator[_Said]:
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
    if named.kind == "line3" and len(named.points) == 3:
        yield from _collinear(named.points, item.start, item.end)


def _collinear(points: tuple[str, ...], start: int, end: int) -> Iterator[_Said]:
    first, middle, last = points
    yield "on", Element("point", middle), Element("segment", "".join(sorted((first, last)))), (), start, end


def _sums(line: Line) -> Iterator[_Said]:
    """AD + DB = AB puts D on AB."""
    for index, item in enumerate(line.items):
        if len(item.parts) != 2 or "+" not in line.text[item.start : item.end]:
            continue
        for gap, at in ((line.gaps[index + 1], index + 1), (line.gaps[index], index - 1)):
            if gap.between != "link" or not 0 <= at < len(line.items):
                continue
            whole = line.items[at]
            if whole.element and whole.element.kind == "segment":
                start, end = min(item.start, whole.start), max(item.end, whole.end)
                yield from _parted(item.parts, whole.element, start, end)


def _angled(line: Line) -> Iterator[_Said]:
    """ "AB makes a 90° angle with CD", "the angle between AB and CD is 90°"."""
    for index, item in enumerate(line.items[:-1]):
        after = line.items[index + 1]
        if not _is_right(after):
            continue
        if item.role == "angle between" and line.gaps[index + 1].between == "link":
            yield "perpendicular", item.parts[0], item.parts[1], (), item.start, after.end
        elif item.element and item.element.kind == "segment" and index + 2 < len(line.items):
            other, gap = line.items[index + 2], line.gaps[index + 2]
            if (
                other.element
                and other.element.kind == "segment"
                and gap.hints & {"with", "to"}
                and gap.hints <= _TOWARDS
            ):
                yield "perpendicular", item.element, other.element, (), item.start, other.end
        if index and line.gaps[index + 1].hints & {
            "meet",
            "meets",
            "intersect",
            "intersects",
            "cross",
            "at",
            "form",
            "make",
        }:
            first = line.items[index - 1]
            joined = line.gaps[index].between in ("list", "meets")
            if joined and item.element and first.element and item.element.kind == first.element.kind == "segment":
                yield "perpendicular", first.element, item.element, (), first.start, after.end


def _distances(line: Line) -> Iterator[_Said]:
    """ "A and B are 5 apart", "A is 5 from B"."""
    for index, item in enumerate(line.items):
        gap, before = line.gaps[index + 1], line.items[max(0, index - 1)]
        if item.value is None or not index or line.gaps[index].between != "link":
            continue
        other = line.items[index - 2] if index > 1 and "apart" in gap.hints else None
        if other is None and index + 1 < len(line.items) and gap.hints <= _AWAY and "from" in gap.hints:
            other = line.items[index + 1]
        if other and other.element and before.element and other.element.kind == before.element.kind == "point":
            start, end = min(before.start, other.start), max(item.end, other.end)
            ends = segment(before.element.name, other.element.name)
            yield "value", ends, None, ((item.value, item.unit),), start, end


_AWAY = frozenset({"from", "away", "point"})
_TOWARDS = frozenset({"with", "to", "angle", "segment", "line", "the", "a"})


def _is_right(item: Item) -> bool:
    return item.value is not None and item.value.number == 90 and is_degrees(item.unit.lstrip("-"))


def _parted(parts: tuple[Element, ...], whole: Element, start: int, end: int) -> Iterator[_Said]:
    shared = set(parts[0].points) & set(parts[1].points)
    ends = set(parts[0].points) ^ set(parts[1].points)
    if len(shared) == 1 and ends == set(whole.points) and all(part.kind == "segment" for part in parts):
        yield "on", Element("point", shared.pop()), whole, (), start, end

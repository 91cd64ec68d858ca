"""Runs of groups joined by links, as values and equalities: AB = CD = 7; "AB and BC are 5 and 12"."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

from perception_reward.annotations.language.geometry.elements import Element
from perception_reward.annotations.language.geometry.gaps import Gap
from perception_reward.annotations.language.geometry.groups import Group
from perception_reward.annotations.language.geometry.items import Item, Line
from perception_reward.annotations.language.values import Value, parse

Said: TypeAlias = "tuple[str, Element, Element | None, tuple[tuple[Value, str], ...], int, int]"


def chains(line: Line, groups: list[Group]) -> Iterator[Said]:
    """Runs of groups joined by links: AB = CD = 7; "AB and BC are 5 and 12"; "5 is the length of AB"."""
    start = 0
    while start < len(groups):
        stop = start + 1
        while stop < len(groups) and _links(line, groups[stop - 1], groups[stop]):
            stop += 1
        if stop - start > 1:
            yield from _chain(line, groups[start:stop])
        start = stop


def _links(line: Line, left: Group, right: Group) -> bool:
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


def _chain(line: Line, groups: list[Group]) -> Iterator[Said]:
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
        # "AB = 12 = 2 times CD" says 12; "AB is 2 times CD" says no value.
        if len(groups) > 2:
            yield from _chain(line, groups[:-1])
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
    if len(groups) == len(elements) == 2:
        yield from _numbered(line.gaps[groups[1].first], elements[0], elements[1], start, end)
    if not elements and flat and flat[0].value:
        yield from _variable(flat, start, end)


def _identified(left: Item, right: Item, start: int, end: int) -> Iterator[Said]:
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


def _numbered(gap: Gap, left: Item, right: Item, start: int, end: int) -> Iterator[Said]:
    """An angle and its number: "∠3 is ∠ABC" says which angle the 3 stands in, as "∠3 = ∠ABC" does not."""
    if not gap.hints <= _NAMING:
        return
    for mark, angle in ((left.element, right.element), (right.element, left.element)):
        if (
            mark
            and angle
            and mark.kind == "mark"
            and angle.kind == "angle"
            and (value := parse(mark.name))
            and value.number
        ):
            yield "numbered", angle, None, ((value, ""),), start, end


_NAMING = frozenset({"is", "as", "marked", "named", "labelled", "labeled", "numbered", "called", "the"})
_PARTS = frozenset({"diameter", "radius", "hypotenuse", "leg", "base"})


def _nearest(groups: list[Group], position: int) -> tuple[int, ...]:
    """The members of a group that a chain reaches: all of the last, the nearest of the others."""
    group = groups[position]
    if position == 0:
        return (group.stop - 1,)
    if position == len(groups) - 1:
        return tuple(range(group.first, group.stop))
    return (group.first,)


def _variable(flat: list[Item], start: int, end: int) -> Iterator[Said]:
    first = flat[0].value
    if first is None or len(first.terms) != 1 or len(first.variables) != 1:
        return
    (powers, radicand), factor = first.terms[0]
    if factor == 1 and radicand == 1 and len(powers) == 1 and powers[0][1] == 1:
        values = tuple((item.value, item.unit) for item in flat[1:] if item.value)
        if values:
            yield "value", Element("variable", powers[0][0]), None, values, start, end


def _pairs(line: Line, elements: Group, values: Group) -> Iterator[Said]:
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

"""Neighbouring items of one kind as groups: what a relation or value is said of together."""

from __future__ import annotations

from dataclasses import dataclass

from perception_reward.annotations.language.geometry.gaps import Gap
from perception_reward.annotations.language.geometry.items import Item, Line
from perception_reward.annotations.language.word_lists import words

INFIX = words("""
    perpendicular parallel congruent similar tangent bisector midpoint diameter radius chord center inscribed
    between on place off unlike apart_from_circle
""")


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring items of one kind in a list ("AB, BC and CA"), items[first:stop]."""

    first: int
    stop: int
    choice: bool


def groups_of(line: Line) -> list[Group]:
    groups: list[Group] = []
    for index, item in enumerate(line.items):
        gap = line.gaps[index]
        if groups and gap.between in ("list", "or") and _alike(line.items[index - 1], item):
            last = groups.pop()
            groups.append(Group(last.first, index + 1, last.choice or gap.between == "or"))
        else:
            groups.append(Group(index, index + 1, False))
    return [part for group in groups for part in _apart(line, group)]


def _apart(line: Line, group: Group) -> list[Group]:
    """A list with relations on both sides is no list: "AB ∥ CD and EF ⟂ GH", "AB = 5, BC = 12"."""
    several = group.stop - group.first > 1 and group.first > 0 and group.stop < len(line.items)
    if several and _joins(line.gaps[group.first]) and _joins(line.gaps[group.stop]):
        return [Group(index, index + 1, False) for index in range(group.first, group.stop)]
    return [group]


def _joins(gap: Gap) -> bool:
    return gap.between == "link" or gap.between in INFIX


def _alike(one: Item, other: Item) -> bool:
    if one.kind != other.kind:
        return False
    if one.element and other.element:
        similar = ("angle", "vertex", "mark", "three")
        kinds = one.element.kind, other.element.kind
        return kinds[0] == kinds[1] or all(kind in similar for kind in kinds)
    return True

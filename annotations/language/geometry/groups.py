"""Neighbouring items of one kind as groups: what a relation or value is said of together."""

from __future__ import annotations

from dataclasses import dataclass

from perception_reward.annotations.language.geometry.items import Item, Line
from perception_reward.annotations.language.word_lists import words

INFIX = words(
    "perpendicular parallel congruent similar tangent bisector midpoint between on place off unlike apart_from_circle"
)


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
    return groups


def _alike(one: Item, other: Item) -> bool:
    if one.kind != other.kind:
        return False
    if one.element and other.element:
        similar = ("angle", "vertex", "mark", "three")
        kinds = one.element.kind, other.element.kind
        return kinds[0] == kinds[1] or all(kind in similar for kind in kinds)
    return True

"""Relations that a whole construction says: AD + DB = AB, "a 90° angle with", "5 apart"."""

from __future__ import annotations

from collections.abc import Iterator

from perception_reward.annotations.language.geometry.chains import Said
from perception_reward.annotations.language.geometry.elements import Element, segment
from perception_reward.annotations.language.geometry.items import Item, Line
from perception_reward.annotations.language.units import is_degrees


def collinear(points: tuple[str, ...], start: int, end: int) -> Iterator[Said]:
    first, middle, last = points
    yield "on", Element("point", middle), Element("segment", "".join(sorted((first, last)))), (), start, end


def sums(line: Line) -> Iterator[Said]:
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


def angled(line: Line) -> Iterator[Said]:
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


def distances(line: Line) -> Iterator[Said]:
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


def _parted(parts: tuple[Element, ...], whole: Element, start: int, end: int) -> Iterator[Said]:
    shared = set(parts[0].points) & set(parts[1].points)
    ends = set(parts[0].points) ^ set(parts[1].points)
    if len(shared) == 1 and ends == set(whole.points) and all(part.kind == "segment" for part in parts):
        yield "on", Element("point", shared.pop()), whole, (), start, end

"""Geometric elements under one name each: AB and BA, ∠ABC and ∠CBA, △ABC and △CAB are the same."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from perception_reward.annotations.language.names import points_of

# What a word in front of a name makes of it; without a word, its number of points decides.
_ROLE_KINDS = (
    ("arc", "arc"),
    ("triangle", "triangle"),
    ("angle", "angle"),
    ("∠", "angle"),
    ("△", "triangle"),
    ("circle", "circle"),
    ("⊙", "circle"),
    ("line", "segment"),
    ("ray", "segment"),
)
_POLYGON_WORDS = ("quadrilateral", "parallelogram", "rhombus", "rectangle", "square", "trapezoid", "trapezium", "kite",
                  "diamond", "polygon", "pentagon", "hexagon")  # fmt: skip


class Element(NamedTuple):
    """An element of a figure.

    kind: segment, angle (three points, vertex in the middle), vertex (an angle known by its vertex alone), mark
        (a numbered angle), arc, triangle, polygon, circle, point, variable, label (a side or line called by a small
        letter), or a quantity of something else: radius, diameter, area, perimeter, …
    name: its points in canonical order, its letter or number; of a quantity, what it belongs to ('' if unsaid).
    """

    kind: str
    name: str

    @property
    def points(self) -> tuple[str, ...]:
        return points_of(self.name)


@lru_cache(maxsize=8192)
def element(role: str, name: str) -> Element | None:
    """The element that a name means behind a word such as `angle`, `side` or '' (no word), or None."""
    role = role.lower().rstrip(" s")
    if not name[0].isupper():
        return _lettered(role, name)
    points = points_of(name)
    kind = role_kind(role)
    if kind == "angle":
        return angle_of(points)
    if kind == "arc" and 2 <= len(points) <= 3:
        first, last = sorted((points[0], points[-1]))
        return Element("arc", first + "".join(points[1:-1]) + last)
    if kind == "circle":
        return Element("circle", points[0]) if len(points) == 1 else None
    if kind == "triangle" or (kind == "polygon" and len(points) == 3):
        return Element("triangle", "".join(sorted(points))) if len(points) == 3 else None
    if kind == "polygon" or len(points) > 3:
        return Element("polygon", _cycle(points))
    return _unmarked(kind, points)


def _unmarked(kind: str, points: tuple[str, ...]) -> Element | None:
    if len(points) == 1:
        return Element("point", points[0])
    if len(points) == 2:
        return segment(*points) if points[0] != points[1] else None
    return Element("line3" if kind == "segment" else "three", "".join(points))


def _lettered(role: str, name: str) -> Element | None:
    if name[0].isdigit():
        return Element("mark", name)
    return Element("variable" if role_kind(role) == "angle" else "label", name)


def role_kind(role: str) -> str:
    """The kind of element that a word announces, or ''."""
    if any(role.endswith(word) for word in _POLYGON_WORDS):
        return "polygon"
    return next((kind for ending, kind in _ROLE_KINDS if role.endswith(ending)), "")


def segment(one: str, other: str) -> Element:
    """The segment between two points."""
    return Element("segment", "".join(sorted((one, other))))


def angle_of(points: tuple[str, ...]) -> Element | None:
    """The angle named by one or three points."""
    if len(points) == 1:
        return Element("vertex", points[0])
    if len(points) != 3:
        return None
    first, last = sorted((points[0], points[2]))
    return Element("angle", first + points[1] + last)


def angle_between(one: Element, other: Element) -> Element | None:
    """The angle between two segments that share an end."""
    shared = set(one.points) & set(other.points)
    if len(shared) != 1 or one.kind != "segment" or other.kind != "segment":
        return None
    (vertex,) = shared
    ends = [point for point in (*one.points, *other.points) if point != vertex]
    return angle_of((ends[0], vertex, ends[1]))


def _cycle(points: tuple[str, ...]) -> str:
    """The same polygon whichever corner its name begins with and whichever way it runs."""
    turns = [points[i:] + points[:i] for i in range(len(points))]
    turns += [turn[::-1] for turn in turns]
    return "".join(min(turns))

"""The way back from `english`: which statement one of its sentences makes.

    read_sentence("Angle ABC measures (4y - 10) degrees.")     # Statement(kind="angle", …)

Only sentences in the wordings of `english` are read; any other text is None, never a guess.
"""

from __future__ import annotations

import re

from perception_reward.annotations.language.names import POINT, written_points
from perception_reward.annotations.language.quantities import QuantityError, read_quantity
from perception_reward.annotations.statements import KINDS, POLYGON_SORTS, Figure, Statement

_POINTS = rf"(?:{POINT})+"
_SORTS = "|".join(
    sorted({"circle", "minor arc", "major arc", "arc", "angle", "segment", *POLYGON_SORTS}, key=len)[::-1]
)
_FORMS = (
    ("length", re.compile(rf"Segment (?P<segment>{_POINTS}) has length (?P<quantity>.+)\.")),
    ("angle", re.compile(rf"Angle (?P<angle>{_POINTS}|\d{{1,2}}) measures (?P<quantity>.+) degrees\.")),
    ("arc", re.compile(rf"(?P<sort>(?:(?:Minor|Major) a|A)rc) (?P<arc>{_POINTS}) measures (?P<quantity>.+) degrees\.")),
    (
        "arc_length",
        re.compile(rf"(?P<sort>(?:(?:Minor|Major) a|A)rc) (?P<arc>{_POINTS}) has length (?P<quantity>.+)\."),
    ),
    ("", re.compile(rf"The (?P<kind>[a-z]+) of (?P<sort>{_SORTS}) (?P<figure>{_POINTS}) is (?P<quantity>.+)\.")),
    ("perpendicular", re.compile(rf"(?P<segment>{_POINTS}) is perpendicular to (?P<segment2>{_POINTS})\.")),
    ("parallel", re.compile(rf"(?P<segment>{_POINTS}) is parallel to (?P<segment2>{_POINTS})\.")),
    ("tangent", re.compile(rf"Line (?P<segment>{_POINTS}) is tangent to circle (?P<circle>{POINT})\.")),
    ("on_line", re.compile(rf"Point (?P<point>{POINT}) lies on line (?P<segment>{_POINTS})\.")),
    ("on_circle", re.compile(rf"Point (?P<point>{POINT}) lies on circle (?P<circle>{POINT})\.")),
    ("label", re.compile(rf"Angle (?P<angle>{_POINTS}) is labelled (?P<label>\d{{1,2}})\.")),
    ("equal_length", re.compile(rf"Segments (?P<segment>{_POINTS}) and (?P<segment2>{_POINTS}) have equal length\.")),
    ("equal_angle", re.compile(rf"Angles (?P<angle>{_POINTS}) and (?P<angle2>{_POINTS}) have equal measure\.")),
    ("equal_arc", re.compile(rf"Arcs (?P<arc>{_POINTS}) and (?P<arc2>{_POINTS}) have equal measure\.")),
    ("equal_arc_length", re.compile(rf"Arcs (?P<arc>{_POINTS}) and (?P<arc2>{_POINTS}) have equal length\.")),
)
_SIZES = {"segment": (2,), "angle": (3,), "arc": (2, 3), "circle": (1,), "point": (1,), "label": (1,)}


def read_sentence(text: str) -> Statement | None:
    """The statement that a sentence of `english` makes; None for any other text."""
    for kind, form in _FORMS:
        if match := form.fullmatch(text.strip()):
            return _statement(kind, match)
    return None


def _statement(kind: str, match: re.Match[str]) -> Statement | None:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    kind = found.pop("kind", kind)
    quantity = found.pop("quantity", None)
    sort = found.pop("sort", "").lower()
    figures = [_figure(sort or name.rstrip("2"), value) for name, value in found.items()]
    known = [figure for figure in figures if figure is not None]
    if kind not in KINDS or len(known) < len(figures):
        return None
    try:
        return Statement(kind, tuple(known), read_quantity(quantity) if quantity is not None else None)
    except QuantityError:
        return None


def _figure(sort: str, name: str) -> Figure | None:
    if name.isdecimal():
        return Figure("label", (name,))
    points = written_points(name)
    sizes = _SIZES.get(sort.split()[-1])
    return Figure(sort, points) if sizes is None or len(points) in sizes else None

"""Statements as English sentences, with Unicode mathematics, and the way back.

    sentence(statement)                                        # 'Angle ABC measures (4y - 10) degrees.'
    read_sentence("Angle ABC measures (4y - 10) degrees.")     # the statement again; None for any other text

Plain sentences on purpose: a language model and a pattern matcher must both read them. One table says both ways.
"""

from __future__ import annotations

import re
from typing import Final

from perception_reward.annotations.language.names import POINT, written_points
from perception_reward.annotations.language.quantities import QuantityError, read_quantity
from perception_reward.annotations.statements import KINDS, POLYGON_SORTS, Figure, Statement

# By kind: the points of a figure stand where its sort is, and where "sort" is, its sort and its points.
_FORMS: Final = {
    "length": "Segment {segment} has length {quantity}.",
    "angle": "{sort} measures {quantity} degrees.",
    "arc": "{sort} measures {quantity} degrees.",
    "arc_length": "{sort} has length {quantity}.",
    "perpendicular": "{segment} is perpendicular to {segment}.",
    "parallel": "{segment} is parallel to {segment}.",
    "tangent": "Line {segment} is tangent to circle {circle}.",
    "on_line": "Point {point} lies on line {segment}.",
    "on_circle": "Point {point} lies on circle {circle}.",
    "label": "Angle {angle} is labelled {label}.",
    "equal_length": "Segments {segment} and {segment} have equal length.",
    "equal_angle": "Angles {angle} and {angle} have equal measure.",
    "equal_arc": "Arcs {arc} and {arc} have equal measure.",
    "equal_arc_length": "Arcs {arc} and {arc} have equal length.",
} | {kind: f"The {kind} of {{sort}} is {{quantity}}." for kind in (
    "radius", "diameter", "circumference", "area", "height", "perimeter"
)}  # fmt: skip
_SLOT = re.compile(r"\{(\w+)\}")
_SIZES = {"segment": (2,), "angle": (3,), "arc": (2, 3), "circle": (1,), "point": (1,), "label": (1,)}
_ARCS = ("arc", "minor arc", "major arc")
_SORTS = {"angle": ("angle",), "arc": _ARCS, "arc_length": _ARCS}


def sentence(statement: Statement) -> str:
    """One English sentence, with its full stop."""
    figures = iter(statement.figures)

    def written(slot: re.Match[str]) -> str:
        if slot[1] == "quantity":
            grouped = "degrees" in form and statement.quantity is not None and statement.quantity.is_compound
            return f"({statement.quantity})" if grouped else str(statement.quantity)
        figure = next(figures)
        name = "".join(figure.points)
        if slot[1] != "sort":
            return name
        sort = "angle" if figure.sort == "label" else figure.sort
        return f"{sort.capitalize() if slot.start() == 0 else sort} {name}"

    form = _FORMS[statement.kind]
    return _SLOT.sub(written, form)


def read_sentence(text: str) -> Statement | None:
    """The statement that a sentence of `sentence` makes; None for any other text, never a guess."""
    text = text.strip()
    return next(
        (made for kind, form in _PATTERNS if (found := form.fullmatch(text)) and (made := _made(kind, found))), None
    )


def _pattern(kind: str) -> re.Pattern[str]:
    any_sort = ("circle", "angle", "segment", *_ARCS, *POLYGON_SORTS)
    sorts = "|".join(sorted(_SORTS.get(kind, any_sort), key=len, reverse=True))
    numbers = iter(range(len(_FORMS[kind])))

    def group(slot: str) -> str:
        number = next(numbers)
        if slot == "quantity":
            return "(?P<quantity>.+)"
        if slot == "sort":
            return rf"(?P<sort>(?i:{sorts})) (?P<sort_{number}>(?:{POINT})+|\d{{1,2}})"
        return rf"(?P<{slot}_{number}>(?:{POINT})+|\d{{1,2}})"

    pieces = _SLOT.split(_FORMS[kind])
    return re.compile("".join(group(piece) if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)))


_PATTERNS = [(kind, _pattern(kind)) for kind in KINDS]


def _made(kind: str, match: re.Match[str]) -> Statement | None:
    found = match.groupdict()
    quantity, sort = found.pop("quantity", None), found.pop("sort", "").lower()
    figures = [_figure(sort or slot.partition("_")[0], name) for slot, name in found.items()]
    known = tuple(figure for figure in figures if figure is not None)
    if len(known) < len(figures):
        return None
    try:
        return Statement(kind, known, read_quantity(quantity) if quantity is not None else None)
    except QuantityError:
        return None


def _figure(sort: str, name: str) -> Figure | None:
    if name.isdecimal():
        return Figure("label", (name,)) if sort in ("label", "angle") else None
    points = written_points(name)
    sizes = _SIZES.get(sort.split()[-1])
    return Figure(sort, points) if sort != "label" and (sizes is None or len(points) in sizes) else None

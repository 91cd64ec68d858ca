"""What a question implies about its diagram without saying it: that the corners of a rectangle are right angles.

| the question | implies |
|---|---|
| P is the midpoint of AB, P bisects AB | P lies on AB |
| AB is a diameter, radius or chord of circle O | its ends lie on circle O; the center lies on a diameter |
| AB is the perpendicular bisector of CD, an altitude onto CD | AB is perpendicular to CD |
| AB and BC are the legs of a right triangle | AB is perpendicular to BC |
| AB and CD are the parallel, or a parallelogram's opposite, sides | AB is parallel to CD |
| angle ABC measures 90° | AB is perpendicular to BC |
| ABCD is a parallelogram, rectangle, rhombus, square | its sides are parallel, at right angles, equal |

Saying so is a step of reasoning from the question and no evidence of seeing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations

from perception_reward.annotations.given import plain, statements_given
from perception_reward.annotations.language.names import run_of, written_points
from perception_reward.annotations.statements import Figure, Statement

_ONE, _TWO, _THREE, _FOUR = map(run_of, "1234")
_ROUND = r"(?:the |a )?⊙"
_PARALLELOGRAM = r"(?:▱|(?:parallelogram|rectangle|rhombus|square)\b)"


def statements_implied(question: str | None) -> list[Statement]:
    """What `question` implies; nothing that it says itself, and nothing that takes more than one step."""
    text = plain(question)
    constructed = (
        statement for pattern, imply in _CONSTRUCTIONS for match in pattern.finditer(text) for statement in imply(match)
    )
    return [*constructed, *(corner for said in statements_given(question) for corner in _right_angle(said))]


def _right_angle(said: Statement) -> Iterator[Statement]:
    if said.kind == "angle" and said.quantity is not None and said.quantity.number == 90:
        start, vertex, end = said.figures[0].points
        yield Statement("perpendicular", _of(start + vertex, vertex + end))


def _of(*names: str) -> tuple[Figure, ...]:
    return tuple(Figure("point" if len(points) == 1 else "segment", points) for points in map(written_points, names))


def _on_line(point: str, line: str) -> Statement:
    return Statement("on_line", _of(point, line))


def _inside(match: re.Match[str]) -> Iterator[Statement]:
    yield _on_line(match[1], match[2])


def _in_circle(match: re.Match[str]) -> Iterator[Statement]:
    found = match.groupdict()
    line, center = found["line"] or found["line2"], found["center"] or found["center2"]
    for point in written_points(line):
        if point != center:
            yield Statement("on_circle", (Figure("point", (point,)), Figure("circle", (center,))))
    if "diameter" in match[0]:
        yield _on_line(center, line)


def _across(match: re.Match[str]) -> Iterator[Statement]:
    yield Statement("perpendicular", _of(match[1], match[2]))


def _upright(match: re.Match[str]) -> Iterator[Statement]:
    """An altitude stands on the side that it does not share a corner with."""
    base = [point for point in written_points(match[2]) if point not in written_points(match[1])]
    if len(base) == 2:
        yield Statement("perpendicular", _of(match[1], "".join(base)))


def _along(match: re.Match[str]) -> Iterator[Statement]:
    yield Statement("parallel", _of(match[1], match[2]))


def _shape(match: re.Match[str]) -> Iterator[Statement]:
    corners = written_points(match[1])
    sides = ["".join((corners[at - 1], corners[at])) for at in (1, 2, 3, 0)]
    for at in (0, 1):
        yield Statement("parallel", _of(sides[at], sides[at + 2]))
        yield Statement("equal_length", _of(sides[at], sides[at + 2]))
    if match[2] in ("rectangle", "square"):
        yield from (Statement("perpendicular", _of(sides[at], sides[at - 1])) for at in range(4))
    if match[2] in ("rhombus", "square"):
        yield from (Statement("equal_length", _of(*pair)) for pair in combinations(sides, 2))


_CONSTRUCTIONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterator[Statement]]], ...] = (
    (re.compile(rf"\b{_ONE} (?:is the midpoint of|bisects) {_TWO}\b"), _inside),
    (
        re.compile(
            rf"\b(?P<line>{_TWO}) is (?:the|a) (?:diameter|radius|chord) of {_ROUND}(?P<center>{_ONE})\b"
            rf"|\bthe (?:diameter|radius) of {_ROUND}(?P<center2>{_ONE}) is (?P<line2>{_TWO})\b"
        ),
        _in_circle,
    ),
    (re.compile(rf"\b{_TWO} (?:is the perpendicular bisector of|perpendicular(?:ly)? bisects) {_TWO}\b"), _across),
    (re.compile(rf"\b{_TWO} (?:and|,) {_TWO} are the legs of the right "), _across),
    (re.compile(rf"\b{_TWO} is (?:the|an) altitude of (?:triangle |△ ?){_THREE}\b"), _upright),
    (
        re.compile(rf"\b{_TWO} and {_TWO} are (?:the )?(?:parallel sides|opposite sides of (?:the )?{_PARALLELOGRAM})"),
        _along,
    ),
    (re.compile(rf"\b{_FOUR} is (?:a|the) ({_PARALLELOGRAM})"), _shape),
)

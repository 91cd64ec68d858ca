"""Other names of the same angle or line, by the points that lie on its sides.

Where Q lies on line BC, "angle ABQ" and "angle ABC" name one angle, and AB ⊥ BQ says what AB ⊥ BC says. Question
and diagram often choose different points.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from perception_reward.annotations.statements import Figure, Statement

_OF_LINES = frozenset({"perpendicular", "parallel", "tangent"})


class Collinear:
    """The lines of one diagram, from its `on_line` statements; `Point Q lies on line BC` puts Q between B and C."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._between: dict[frozenset[str], set[str]] = defaultdict(set)
        self._lines: list[set[str]] = []
        for statement in statements:
            if statement.kind == "on_line":
                point, line = statement.figures
                if len({*point.points, *line.points}) < 3:
                    continue  # a point at an end of the line, or a line with one end: it places nothing
                self._between[frozenset(line.points)].add(point.points[0])
                self._add({*point.points, *line.points})

    def key(self, statement: Statement) -> tuple[object, ...]:
        """Like `Statement.key`, and equal also for statements that only name a line or a ray by other points."""
        of_lines = statement.kind in _OF_LINES
        return statement.key_by(lambda figure: self._figure_key(figure, of_lines))

    def line(self, segment: Figure) -> frozenset[str]:
        """The points known to lie on a segment's line, its ends among them."""
        return frozenset(self._line(*segment.points))

    def _figure_key(self, figure: Figure, of_lines: bool) -> tuple[str, ...]:
        if figure.sort == "angle":
            start, vertex, end = figure.points
            return ("angle", vertex, *sorted((self._ray(vertex, start), self._ray(vertex, end))))
        if figure.sort == "segment" and of_lines:
            return ("line", *sorted(self._line(*figure.points))[:2])
        return figure.key

    def _add(self, line: set[str]) -> None:
        """Lines that share two points are one."""
        apart: list[set[str]] = []
        for other in self._lines:
            if len(line & other) >= 2:
                line = line | other
            else:
                apart.append(other)
        self._lines = [*apart, line]

    def _line(self, one: str, other: str) -> set[str]:
        return next((line for line in self._lines if one in line and other in line), {one, other})

    def _ray(self, vertex: str, through: str) -> str:
        """The first by name of the points on the same side of `vertex` as `through`."""
        side = (
            point
            for point in self._line(vertex, through)
            if point != vertex and vertex not in self._between.get(frozenset((point, through)), ())
        )
        return min(side)

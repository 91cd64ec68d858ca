"""What a logic form states about a diagram: its kind, its figures and, where it has one, a quantity.

| kind | logic form |
|---|---|
| length, angle, arc, arc_length | `Equals(LengthOf(Line(A,B)), 5)`, `Equals(MeasureOf(Arc(A,B)), 4y)`, … |
| radius, diameter, circumference, area, height, perimeter | `Equals(RadiusOf(Circle(O)), 5)`, … |
| equal_length, equal_angle, equal_arc, equal_arc_length | `Equals(LengthOf(…), LengthOf(…))`, … |
| label | `Equals(MeasureOf(Angle(A,B,C)), MeasureOf(angle 1))` |
| perpendicular, parallel, tangent | `Perpendicular(Line(A,B), Line(C,D))`, … |
| on_line, on_circle | `PointLiesOnLine(D, Line(A,B))`, `PointLiesOnCircle(D, Circle(O, radius_0_0))` |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from perception_reward.annotations.language.names import is_point
from perception_reward.annotations.language.quantities import Quantity, QuantityError, read_quantity
from perception_reward.annotations.logic_forms import Form, LogicFormError, Term

KINDS = (
    *(
        "length",
        "angle",
        "arc",
        "arc_length",
        "radius",
        "diameter",
        "circumference",
        "area",
        "height",
        "perimeter",
    ),
    *("equal_length", "equal_angle", "equal_arc", "equal_arc_length", "label"),
    *("perpendicular", "parallel", "tangent", "on_line", "on_circle"),
)
POLYGONS = frozenset(
    {"Triangle", "Quadrilateral", "Parallelogram", "Rectangle", "Square", "Rhombus", "Kite", "Trapezoid"}
    | {"Pentagon", "Hexagon", "Heptagon", "Octagon", "Polygon"}
)
_CORNERS = {"Triangle": 3, "Pentagon": 5, "Hexagon": 6, "Heptagon": 7, "Octagon": 8}
_MEASURED = {"segment": "length", "angle": "angle", "arc": "arc"}
_SIZES = {"RadiusOf": "radius", "DiameterOf": "diameter", "CircumferenceOf": "circumference"} | {
    name: name.removesuffix("Of").lower() for name in ("AreaOf", "HeightOf", "PerimeterOf")
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A thing with named points.

    sort: segment, angle, arc, minor arc, circle, kite, … or `label`: the number written in an angle.
    """

    sort: str
    points: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The same for every order of the points that names the same figure: AB and BA, ABC and CBA."""
        if self.sort in POLYGON_SORTS:
            turns = [self.points[at:] + self.points[:at] for at in range(len(self.points))]
            return ("polygon", *min(turns + [turn[::-1] for turn in turns]))
        return (self.sort, *min(self.points, self.points[::-1]))


POLYGON_SORTS = frozenset(name.lower() for name in POLYGONS)


@dataclass(frozen=True, slots=True)
class Statement:
    """One atomic statement; the relations are symmetric but for tangent, on_line, on_circle and label."""

    kind: str
    figures: tuple[Figure, ...]
    quantity: Quantity | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for statements that say the same."""
        return self.key_by(lambda figure: figure.key)

    def key_by(self, figure_key: Callable[[Figure], tuple[str, ...]]) -> tuple[object, ...]:
        """The key when `figure_key` says which figures are the same."""
        figures = [figure_key(figure) for figure in self.figures]
        if self.kind.startswith("equal_") or self.kind in ("perpendicular", "parallel"):
            figures.sort()
        return (self.kind, *figures, self.quantity.key if self.quantity else None)


def read_statement(form: Term, centers: Collection[str] = ()) -> Statement:
    """What `form` states. Raises `LogicFormError` where it has no sound meaning.

    centers: the points known to be centers of circles; an arc written through one, `Arc(A, O, B)`, is arc AB.
    """
    return _Meaning(centers).statement(form)


def circle_center(form: Term) -> str | None:
    """The center that a `PointLiesOnCircle` form names, or None."""
    if form.name != "PointLiesOnCircle" or len(form.arguments) != 2:
        return None
    circle = form.arguments[1]
    return _text(circle.arguments[0]) if isinstance(circle, Term) else circle


class _Meaning:
    def __init__(self, centers: Collection[str]) -> None:
        self._centers = centers

    def statement(self, form: Term) -> Statement:
        if len(form.arguments) != 2:
            raise LogicFormError(f"{form.name} takes two arguments, not {len(form.arguments)}")
        first, second = form.arguments
        match form.name:
            case "Equals":
                return self._equality(first, second)
            case "Perpendicular" | "Parallel":
                return _distinct(Statement(form.name.lower(), (self._line(first), self._line(second))))
            case "Tangent":
                return Statement("tangent", (self._line(first), self._circle(second)))
            case "PointLiesOnLine":
                return self._incidence("on_line", first, self._line(second))
            case "PointLiesOnCircle":
                return self._incidence("on_circle", first, self._circle(second))
            case _:
                raise LogicFormError(f"{form.name} is not a relation that is imported")

    def _incidence(self, kind: str, point: Form, figure: Figure) -> Statement:
        name = _point(_text(point))
        if name in figure.points:
            what = "an end of the line" if kind == "on_line" else "the center of the circle"
            raise LogicFormError(f"point {name} is {what} itself")
        return Statement(kind, (Figure("point", (name,)), figure))

    def _equality(self, first: Form, second: Form) -> Statement:
        left, right = self._measured(first), self._measured(second)
        if left is None:
            left, right, second = right, left, first
        if left is None:
            raise LogicFormError("neither side is a measure of a figure")
        if right is None:
            return Statement(left.kind, left.figures, self._quantity(second))
        return self._equal_measures(left, right)

    @staticmethod
    def _equal_measures(left: Statement, right: Statement) -> Statement:
        one, other = left.figures[0], right.figures[0]
        if one.sort == "label" and other.sort != "label":
            one, other = other, one
        if other.sort == "label" and one.sort == "angle":
            return Statement("label", (one, other))
        if left.kind != right.kind or f"equal_{left.kind}" not in KINDS:
            raise LogicFormError(f"compares {left.kind} with {right.kind}")
        return _distinct(Statement(f"equal_{left.kind}", (one, other)))

    def _measured(self, form: Form) -> Statement | None:
        """The figure and the kind of measure that a side of an equality names; None for a quantity."""
        if not isinstance(form, Term):
            return None
        inner = form.arguments[0]
        if form.name in ("LengthOf", "MeasureOf") and len(form.arguments) == 1:
            if isinstance(inner, Term) and inner.name in ("MeasureOf", *_SIZES):
                return self._measured(inner)
            return self._measure(form.name, inner)
        if form.name in _SIZES and len(form.arguments) == 1:
            return self._size(_SIZES[form.name], inner)
        if form.name in ("Line", "Angle", "Arc"):
            figure = self._figure(form)
            return Statement(_MEASURED[figure.sort], (figure,))
        return None

    def _measure(self, name: str, inner: Form) -> Statement | None:
        if isinstance(inner, str):
            label = re.fullmatch(r"[aA]ngle\s*(\d{1,2})", inner)
            if name == "MeasureOf" and label is None:
                raise LogicFormError(f"{inner!r} is no label of an angle")
            return Statement("angle", (Figure("label", (label[1],)),)) if label else None
        figure = self._figure(inner)
        straight = figure.sort == "segment"
        if straight != (name == "LengthOf") and not figure.sort.endswith("arc"):
            raise LogicFormError(f"{name} of {inner} mixes up lengths and measures")
        if figure.sort.endswith("arc"):
            return Statement("arc_length" if name == "LengthOf" else "arc", (figure,))
        return Statement("length" if straight else "angle", (figure,))

    def _size(self, kind: str, inner: Form) -> Statement:
        figure = self._figure(inner)
        is_circle = figure.sort == "circle"
        if (kind in ("radius", "diameter", "circumference") and not is_circle) or (kind == "height" and is_circle):
            raise LogicFormError(f"a {figure.sort} has no {kind}")
        if kind == "perimeter" and is_circle:
            kind = "circumference"
        return Statement(kind, (figure,))

    def _figure(self, form: Form) -> Figure:
        if not isinstance(form, Term):
            raise LogicFormError(f"{form!r} is no figure")
        match form.name:
            case "Line":
                return self._line(form)
            case "Angle" if len(form.arguments) == 1 and _text(form.arguments[0]).isdecimal():
                return Figure("label", (_text(form.arguments[0]),))
            case "Angle":
                return Figure("angle", _points(form, 3))
            case "Arc":
                return self._arc(form, "arc")
            case "Minor" | "Major":
                inner = form.arguments[0]
                if isinstance(inner, Term) and inner.name == "Arc":
                    return self._arc(inner, f"{form.name.lower()} arc")
                raise LogicFormError(f"{form.name} of what is no arc")
            case "Circle":
                return self._circle(form)
            case name if name in POLYGONS:
                return Figure(name.lower(), _points(form, _CORNERS.get(name, len(form.arguments))))
            case _:
                raise LogicFormError(f"{form.name} is not a figure that is imported")

    def _arc(self, form: Term, sort: str) -> Figure:
        points = _points(form, len(form.arguments))
        if len(points) == 3 and points[1] in self._centers:
            points = (points[0], points[2])
        if len(points) not in (2, 3):
            raise LogicFormError(f"an arc has two or three points, not {len(points)}")
        return Figure(sort, points)

    @staticmethod
    def _line(form: Form) -> Figure:
        if not isinstance(form, Term) or form.name != "Line":
            raise LogicFormError(f"{form} is no line")
        return Figure("segment", _points(form, 2))

    @staticmethod
    def _circle(form: Form) -> Figure:
        """A circle by its center; `radius_0_0`, which may follow, is the data set's own bookkeeping."""
        if isinstance(form, Term) and form.name != "Circle":
            raise LogicFormError(f"{form} is no circle")
        return Figure("circle", (_point(_text(form.arguments[0] if isinstance(form, Term) else form)),))

    @staticmethod
    def _quantity(form: Form) -> Quantity:
        # LengthOf(a): the segment carries the label a.
        label = form.name == "LengthOf" if isinstance(form, Term) else False
        text = str(form.arguments[0]) if label and isinstance(form, Term) else str(form)
        try:
            return read_quantity(text)
        except QuantityError as error:
            raise LogicFormError(f"the quantity {text!r} {error}") from None


def _distinct(statement: Statement) -> Statement:
    if statement.figures[0].key == statement.figures[1].key:
        raise LogicFormError("relates a figure to itself")
    return statement


def _points(form: Term, count: int) -> tuple[str, ...]:
    if len(form.arguments) != count:
        raise LogicFormError(f"{form} has {len(form.arguments)} points, not {count}")
    points = tuple(_point(_text(argument)) for argument in form.arguments)
    if len(set(points)) < len(points):
        raise LogicFormError(f"{form} names a point twice")
    return points


def _point(name: str) -> str:
    if re.fullmatch(r"point_\d+", name):
        raise LogicFormError(f"{name} is a point without a name in the diagram")
    if not is_point(name):
        raise LogicFormError(f"{name!r} is no name of a point")
    return name


def _text(form: Form) -> str:
    if isinstance(form, Term):
        raise LogicFormError(f"{form} stands where a name should")
    return form

"""FormalGeo's condition lists: what a problem's text says (`text_cdl`), what its image shows (`image_cdl`), and how the
drawing is made (`construction_cdl`).

    Equal(LengthOfLine(AC),3*x-6)   Segment AC has length 3x - 6.
    IsMidpointOfLine(M,AB)          Point M is the midpoint of segment AB.
    Collinear(ADB)                  Point D lies on line AB.

A condition of the image is `given` where the text has it too or the question says it, else `seen`; one that only the
text has is `given`. How areas are put together (`Shape`) is the data set's own bookkeeping and makes no fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeAlias

from perception_reward.annotations.collinear import Collinear
from perception_reward.annotations.english import sentence
from perception_reward.annotations.faults import Record
from perception_reward.annotations.geometry3k import origins_of
from perception_reward.annotations.importers.model import Draft, Importer, Problem, Refused, optional, text, texts_in
from perception_reward.annotations.importers.sources import records
from perception_reward.annotations.language.quantities import QuantityError, read_quantity
from perception_reward.annotations.logic_forms import Form, LogicFormError, Term, read_logic_form
from perception_reward.annotations.statements import KINDS, Figure, Statement
from perception_reward.trainer_client.wire import Origin

COLUMNS = (
    *("problem_id", "problem_text_en", "problem_answer", "problem_img", "source"),
    *("construction_cdl", "text_cdl", "image_cdl"),
)
LISTS = ("image_cdl", "text_cdl", "construction_cdl")

# What a measure is of, and how many points name it; an arc is named with the center of its circle first.
MEASURES = {
    "LengthOfLine": ("length", "segment", 2),
    "MeasureOfAngle": ("angle", "angle", 3),
    "MeasureOfArc": ("arc", "arc", 3),
    "LengthOfArc": ("arc_length", "arc", 3),
    "RadiusOfCircle": ("radius", "circle", 1),
    "DiameterOfCircle": ("diameter", "circle", 1),
    "PerimeterOfCircle": ("circumference", "circle", 1),
    "AreaOfCircle": ("area", "circle", 1),
    "AreaOfTriangle": ("area", "triangle", 3),
    "AreaOfQuadrilateral": ("area", "quadrilateral", 4),
    "PerimeterOfTriangle": ("perimeter", "triangle", 3),
    "PerimeterOfQuadrilateral": ("perimeter", "quadrilateral", 4),
    "HeightOfTriangle": ("height", "triangle", 3),
    "HeightOfQuadrilateral": ("height", "quadrilateral", 4),
}
# Relations that are no statement of a measure: the kind and the sentence of their arguments.
RELATIONS = {
    "IsCentreOfCircle": ("center", "Point {0} is the center of circle {1}."),
    "IsDiameterOfCircle": ("diameter_of", "Segment {0} is a diameter of circle {1}."),
    "IsMidpointOfLine": ("midpoint", "Point {0} is the midpoint of segment {1}."),
    "IsMidpointOfArc": ("midpoint", "Point {0} is the midpoint of arc {1}."),
    "IsBisectorOfAngle": ("bisector", "{0} bisects angle {1}."),
    "IsPerpendicularBisectorOfLine": ("bisector", "{0} is the perpendicular bisector of segment {1}."),
    "IsMedianOfTriangle": ("median", "{0} is a median of triangle {1}."),
    "IsAltitudeOfTriangle": ("altitude", "{0} is an altitude of triangle {1}."),
    "IsAltitudeOfQuadrilateral": ("altitude", "{0} is an altitude of quadrilateral {1}."),
    "IsMidsegmentOfTriangle": ("midsegment", "{0} is a midsegment of triangle {1}."),
    "IsMidsegmentOfQuadrilateral": ("midsegment", "{0} is a midsegment of quadrilateral {1}."),
    "IsIncenterOfTriangle": ("center", "Point {0} is the incenter of triangle {1}."),
    "IsCentroidOfTriangle": ("center", "Point {0} is the centroid of triangle {1}."),
    "IsCircumcenterOfTriangle": ("center", "Point {0} is the circumcenter of triangle {1}."),
    "IsOrthocenterOfTriangle": ("center", "Point {0} is the orthocenter of triangle {1}."),
    "CongruentBetweenTriangle": ("congruent", "Triangles {0} and {1} are congruent."),
    "MirrorCongruentBetweenTriangle": ("congruent", "Triangles {0} and {1} are congruent."),
    "CongruentBetweenQuadrilateral": ("congruent", "Quadrilaterals {0} and {1} are congruent."),
    "MirrorCongruentBetweenQuadrilateral": ("congruent", "Quadrilaterals {0} and {1} are congruent."),
    "SimilarBetweenTriangle": ("similar", "Triangles {0} and {1} are similar."),
    "MirrorSimilarBetweenTriangle": ("similar", "Triangles {0} and {1} are similar."),
    "SimilarBetweenQuadrilateral": ("similar", "Quadrilaterals {0} and {1} are similar."),
    "MirrorSimilarBetweenQuadrilateral": ("similar", "Quadrilaterals {0} and {1} are similar."),
}
SHAPES = {
    "Parallelogram": "a parallelogram",
    "Rectangle": "a rectangle",
    "Rhombus": "a rhombus",
    "Square": "a square",
    "Kite": "a kite",
    "Trapezoid": "a trapezoid",
    "RightTrapezoid": "a right trapezoid",
    "IsoscelesTrapezoid": "an isosceles trapezoid",
    "RightTriangle": "a right triangle",
    "IsoscelesTriangle": "an isosceles triangle",
    "IsoscelesRightTriangle": "an isosceles right triangle",
    "EquilateralTriangle": "an equilateral triangle",
}
OWN_KINDS = tuple(dict.fromkeys(kind for kind, _ in RELATIONS.values()))

Said: TypeAlias = Statement | tuple[str, str]


def make(row: Record) -> Problem:
    """The conditions of a problem."""
    problem = Problem(
        id=f"formalgeo-{text(row, 'problem_id')}",
        question=optional(row, "problem_text_en"),
        answer=optional(row, "problem_answer"),
        source=f"FormalGeo7k {optional(row, 'source') or ''}".strip(),
    )
    image = optional(row, "problem_img")
    problem.images = [image] if image else []
    said = {name: list(_conditions(texts_in(row.get(name) or []), problem)) for name in LISTS}
    statements = [one for one in chain(*said.values()) if isinstance(one, Statement)]
    lines = Collinear(statements)
    keys = {name: {_key(one, lines) for one in found} for name, found in said.items()}
    origin_of = origins_of(problem.question, optional(row, "problem_answer"), lines)
    first: set[object] = set()
    for _name, one in ((name, one) for name in LISTS for one in said[name]):
        key = _key(one, lines)
        if key in first:
            continue
        first.add(key)
        given = key in keys["text_cdl"]
        problem.drafts.append(_draft(one, "given" if given else None, origin_of))
    return problem


def _draft(one: Said, origin: Origin | None, origin_of: Callable[[Statement], Origin]) -> Draft:
    if isinstance(one, Statement):
        return Draft(sentence(one), one.kind, origin or origin_of(one))
    return Draft(one[1], one[0], origin or "seen")


def _key(one: Said, lines: Collinear) -> object:
    return lines.key(one) if isinstance(one, Statement) else one


def _conditions(conditions: list[str], problem: Problem) -> Iterator[Said]:
    for condition in conditions:
        if condition.startswith("Shape("):
            continue
        try:
            yield from _said(read_logic_form(condition))
        except (LogicFormError, QuantityError) as error:
            problem.refused.append(
                Refused(f"is a condition of no known form ({_head(condition)})", f"{condition}: {error}")
            )


def _head(condition: str) -> str:
    """`Equal(Add(…` is told apart from `Equal(LengthOfLine(…`: the names at its beginning."""
    names: list[str] = []
    for part in condition.split("(")[:2]:
        if not part.isalpha() or len(part) < 3 or part.isupper():
            break
        names.append(part)
    return "(".join(names)


def _said(term: Term) -> Iterator[Said]:
    names = [argument for argument in term.arguments if isinstance(argument, str)]
    match term.name:
        case "Equal" if len(term.arguments) == 2:
            yield _equal(*term.arguments)
        case "PerpendicularBetweenLine" | "ParallelBetweenLine" if len(names) == 2:
            yield Statement(term.name.partition("Between")[0].lower(), (_line(names[0]), _line(names[1])))
        case "IsTangentOfCircle" if len(names) == 2:
            yield Statement("tangent", (_line(names[0]), _figure("circle", names[1], 1)))
        case "Collinear" if len(names) == 1 and 2 < len(names[0]) == len(set(names[0])):
            ends = Figure("segment", (names[0][0], names[0][-1]))
            yield from (Statement("on_line", (Figure("point", (point,)), ends)) for point in names[0][1:-1])
        case "Cocircular" if names:
            circle = _figure("circle", names[0], 1)
            yield from (Statement("on_circle", (Figure("point", (point,)), circle)) for point in "".join(names[1:]))
        case "IsCentreOfCircle" if len(names) == 2 and names[0] == names[1]:
            yield "center", f"Point {names[0]} is the center of a circle."
        case name if name in RELATIONS and len(names) == 2 == len(term.arguments):
            kind, words = RELATIONS[name]
            yield (
                kind,
                words.format(*(name[1:] if "Arc" in term.name and place else name for place, name in enumerate(names))),
            )
        case name if name in SHAPES and len(names) == 1:
            yield "shape", f"{names[0]} is {SHAPES[name]}."
        case _:
            raise LogicFormError(f"{term.name} is not a condition that is imported")


def _equal(one: Form, other: Form) -> Statement:
    left, right = _measure(one), _measure(other)
    if left is None:
        left, right, one, other = right, left, other, one
    if left is None:
        raise LogicFormError("neither side is a measure of a figure")
    if right is None:
        return Statement(left.kind, left.figures, read_quantity(str(other)))
    kind = f"equal_{left.kind}"
    if left.kind != right.kind or kind not in KINDS:
        raise LogicFormError(f"compares {left.kind} with {right.kind}")
    if left.figures[0].key == right.figures[0].key:
        raise LogicFormError("compares a figure with itself")
    return Statement(kind, (left.figures[0], right.figures[0]))


def _measure(form: Form) -> Statement | None:
    if not isinstance(form, Term) or form.name not in MEASURES:
        return None
    kind, sort, count = MEASURES[form.name]
    figure = _figure(sort, str(form.arguments[0]), count)
    return Statement(kind, (Figure("arc", figure.points[1:]) if sort == "arc" else figure,))


def _line(name: str) -> Figure:
    return _figure("segment", name, 2)


def _figure(sort: str, name: str, count: int) -> Figure:
    if len(name) != count or not name.isalpha() or not name.isupper() or len(set(name)) < count:
        raise LogicFormError(f"{name} is no {sort}")
    return Figure(sort, tuple(name))


FORMALGEO = Importer(
    "formalgeo",
    "FormalGeo's problems: construction_cdl, text_cdl and image_cdl, a folder of JSON files or a problem a line",
    (*KINDS, *OWN_KINDS, "shape"),
    records(*COLUMNS, nested=LISTS),
    make,
    COLUMNS,
)

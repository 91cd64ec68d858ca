"""Every statement has its sentence, and is read back from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.english import read_sentence, sentence
from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.language.quantities import read_quantity
from perception_reward.annotations.logic_forms import read_logic_form
from perception_reward.annotations.statements import Figure, Statement, read_statement

AB, CD = Figure("segment", ("A", "B")), Figure("segment", ("C", "D"))
ABC, CIRCLE = Figure("angle", ("A", "B", "C")), Figure("circle", ("O",))


@pytest.mark.parametrize(
    ("form", "english"),
    [
        ("Equals(LengthOf(Line(P, Q)), 3\\sqrt{2})", "Segment PQ has length 3√2."),
        ("Equals(LengthOf(Line(T, R)), x+21)", "Segment TR has length x + 21."),
        ("Equals(MeasureOf(Angle(A, B, C)), 4y-10)", "Angle ABC measures (4y - 10) degrees."),
        ("Equals(MeasureOf(Angle(A, B, C)), 2x)", "Angle ABC measures 2x degrees."),
        ("Equals(MeasureOf(Angle(1)), 50)", "Angle 1 measures 50 degrees."),
        ("Equals(MeasureOf(Angle(A, B, C)), MeasureOf(angle 4))", "Angle ABC is labelled 4."),
        ("Equals(MeasureOf(Arc(A, B)), 60)", "Arc AB measures 60 degrees."),
        ("Equals(MeasureOf(Major(Arc(A, D, C))), y)", "Major arc ADC measures y degrees."),
        ("Equals(LengthOf(Arc(X, N)), 7.94)", "Arc XN has length 7.94."),
        ("Equals(RadiusOf(Circle(O)), 5)", "The radius of circle O is 5."),
        ("Equals(LengthOf(DiameterOf(Circle(A))), 10)", "The diameter of circle A is 10."),
        ("Equals(LengthOf(PerimeterOf(Cirle(C))), 12)", "The circumference of circle C is 12."),
        ("Equals(AreaOf(Kite(A,B,C,D)), 846)", "The area of kite ABCD is 846."),
        ("Equals(LengthOf(HeightOf(Triangle(A,B,C))), x)", "The height of triangle ABC is x."),
        ("Equals(LengthOf(Line(A, B)), LengthOf(Line(C, D)))", "Segments AB and CD have equal length."),
        (
            "Equals(MeasureOf(Angle(A,B,C)), MeasureOf(Angle(D,E,F)))",
            "Angles ABC and DEF have equal measure.",
        ),
        ("Equals(MeasureOf(Arc(A,B)), MeasureOf(Arc(C,D)))", "Arcs AB and CD have equal measure."),
        ("Equals(LengthOf(Arc(A,B)), LengthOf(Arc(C,D)))", "Arcs AB and CD have equal length."),
        ("Perpendicular(Line(A, B), Line(C, D))", "AB is perpendicular to CD."),
        ("Parallel(Line(A, B), Line(C, D))", "AB is parallel to CD."),
        ("Tangent(Line(A,B), Circle(G))", "Line AB is tangent to circle G."),
        ("PointLiesOnLine(D, Line(A, B'))", "Point D lies on line AB'."),
        ("PointLiesOnCircle(A, Circle(O, radius_0_0))", "Point A lies on circle O."),
    ],
)
def test_every_kind_of_statement_has_its_sentence(form: str, english: str) -> None:
    assert sentence(read_statement(read_logic_form(form))) == english


@pytest.mark.parametrize(
    "statement",
    [
        *(
            Statement("length", (AB,), read_quantity(text))
            for text in ("5", "2x^2 - 10", r"3\sqrt{2}", r"5\frac{3}{4}")
        ),
        Statement("length", (Figure("segment", ("A_1", "B'")),), read_quantity("5")),
        Statement("angle", (ABC,), read_quantity("4y - 10")),
        Statement("angle", (Figure("label", ("1",)),), read_quantity("40")),
        Statement("arc", (Figure("minor arc", ("A", "B")),), read_quantity("40")),
        Statement("arc_length", (Figure("arc", ("A", "B")),), read_quantity("4")),
        Statement("radius", (CIRCLE,), read_quantity("4")),
        Statement("area", (Figure("kite", ("A", "B", "C", "D")),), read_quantity("4")),
        Statement("perpendicular", (AB, CD)),
        Statement("parallel", (AB, CD)),
        Statement("tangent", (AB, CIRCLE)),
        Statement("on_line", (Figure("point", ("D",)), AB)),
        Statement("on_circle", (Figure("point", ("D",)), CIRCLE)),
        Statement("label", (ABC, Figure("label", ("1",)))),
        Statement("equal_length", (AB, CD)),
        Statement("equal_angle", (ABC, Figure("angle", ("D", "E", "F")))),
        Statement("equal_arc", (Figure("arc", ("A", "B")), Figure("arc", ("C", "D")))),
        Statement("equal_arc_length", (Figure("arc", ("A", "B")), Figure("arc", ("C", "D")))),
    ],
    ids=lambda statement: sentence(statement),
)
def test_a_written_statement_is_read_back(statement: Statement):
    found = read_sentence(sentence(statement))
    assert found is not None
    assert found.key == statement.key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "There are three dogs.",
        "Segment ABC has length 5.",
        "Segment AB has length five.",
        "Segment AB has length 5",
        "The colour of circle O is 5.",
        "AB is not parallel to CD.",
    ],
)
def test_any_other_text_is_none(text: str):
    assert read_sentence(text) is None


@given(st.text(max_size=100))
def test_no_text_breaks_it(text: str):
    read_sentence(text)


def test_every_imported_fact_is_read_back(shared_data: Path):
    imported = import_problems(shared_data / "geometry3k" / "annotations.jsonl", limit=300)
    texts = [fact.text for annotation in imported.annotations for fact in annotation.facts]
    unread = [text for text in texts if (found := read_sentence(text)) is None or sentence(found) != text]
    assert len(texts) > 1500
    assert unread == [], json.dumps(unread[:20])

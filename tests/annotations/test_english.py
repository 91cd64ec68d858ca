from __future__ import annotations

import pytest

from perception_reward.annotations.english import sentence
from perception_reward.annotations.logic_forms import read_logic_form
from perception_reward.annotations.statements import read_statement


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

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.given import statements_given
from perception_reward.annotations.logic_forms import read_logic_form
from perception_reward.annotations.statements import read_statement


def says(question: str, form: str) -> bool:
    return read_statement(read_logic_form(form), ("O",)).key in [found.key for found in statements_given(question)]


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("In the figure, AB=3+x, find x.", "Equals(LengthOf(Line(B, A)), x+3)"),
        ("If AB = 3√2 and BC = 4, find AC.", "Equals(LengthOf(Line(A, B)), 3\\sqrt{2})"),
        ("If $\\overline{AB}$ is 5, find $x$.", "Equals(LengthOf(Line(A, B)), 5)"),
        ("Segment AB has length 6.5 cm", "Equals(LengthOf(Line(A, B)), 13/2)"),
        ("AB has a length of 6.5.", "Equals(LengthOf(Line(A, B)), 13/2)"),
        ("Angle ABC has a measure of 50 degrees", "Equals(MeasureOf(Angle(A, B, C)), 50)"),
        ("Segment AB equals 6.5.", "Equals(LengthOf(Line(A, B)), 13/2)"),
        ("∠ABC=4*y-10°, find y.", "Equals(MeasureOf(Angle(C, B, A)), 4y-10)"),
        ("Given m∠ABC = 50, find x", "Equals(MeasureOf(Angle(A, B, C)), 50)"),
        ("Given $m \\angle ABC = 50^\\circ$, find x", "Equals(MeasureOf(Angle(A, B, C)), 50)"),
        ("the measure of ∠ABC is 50°", "Equals(MeasureOf(Angle(A, B, C)), 50)"),
        ("The measure of angle ABC is 50 degrees.", "Equals(MeasureOf(Angle(A, B, C)), 50)"),
        ("Angle ABC measures 50 degrees.", "Equals(MeasureOf(Angle(A, B, C)), 50)"),
        ("If IF=5, find x.", "Equals(LengthOf(Line(I, F)), 5)"),
        ("AB=BC=5.", "Equals(LengthOf(Line(B, C)), 5)"),
        ("AB=BC=5.", "Equals(LengthOf(Line(A, B)), LengthOf(Line(C, B)))"),
        ("∠ABC=∠DEF.", "Equals(MeasureOf(Angle(F, E, D)), MeasureOf(Angle(A, B, C)))"),
        ("AC⊥BC.", "Perpendicular(Line(B, C), Line(A, C))"),
        ("AC is perpendicular to BC.", "Perpendicular(Line(B, C), Line(A, C))"),
        ("$AC \\parallel BD$", "Parallel(Line(A, C), Line(B, D))"),
        ("the measure of arc AB is 45", "Equals(MeasureOf(Arc(A, B)), 45)"),
        ("the measure of ⌒OAB is 45", "Equals(MeasureOf(Arc(A, B)), 45)"),
        ("the measure of ⌒OAB is 45", "Equals(MeasureOf(Angle(A, O, B)), 45)"),
        ("the radius of ⊙O is 4", "Equals(RadiusOf(Circle(O)), 4)"),
        ("the radius of circle O is 4", "Equals(RadiusOf(Circle(O)), 4)"),
        ("the area of quadrilateral ABCD is 27", "Equals(AreaOf(Kite(A,B,C,D)), 27)"),
        ("AB is the tangent to ⊙O", "Tangent(Line(A, B), Circle(O))"),
        ("the tangent to circle O is AB", "Tangent(Line(A, B), Circle(O))"),
    ],
)
def test_what_the_question_says_counts_as_given(question: str, form: str) -> None:
    assert says(question, form)


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("AB=15.", "Equals(LengthOf(Line(A, B)), 15.4)"),
        ("Find AB.", "Equals(LengthOf(Line(A, B)), 5)"),
        ("ABCD is a rectangle.", "Perpendicular(Line(A, B), Line(B, C))"),
        ("AC⊥BC.", "Parallel(Line(A, C), Line(B, C))"),
        ("AB = 5", "Equals(MeasureOf(Arc(A, B)), 5)"),
        ("", "Equals(LengthOf(Line(A, B)), 5)"),
    ],
)
def test_what_the_question_does_not_say_is_left_to_the_figure(question: str, form: str) -> None:
    assert not says(question, form)


def test_no_question_gives_nothing() -> None:
    assert statements_given(None) == []


@given(st.text() | st.text(alphabet="ABC∠⊥∥=5x°,. ⊙⌒{}\\$'", max_size=300))
def test_any_question_can_be_read(question: str) -> None:
    assert isinstance(statements_given(question), list)

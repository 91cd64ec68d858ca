from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.implied import statements_implied
from perception_reward.annotations.logic_forms import read_logic_form
from perception_reward.annotations.statements import read_statement


def implies(question: str, form: str) -> bool:
    return read_statement(read_logic_form(form), ("O",)).key in [found.key for found in statements_implied(question)]


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("P is the midpoint of segment AB.", "PointLiesOnLine(P, Line(A, B))"),
        ("P bisects AB, find x.", "PointLiesOnLine(P, Line(A, B))"),
        ("BE is the diameter of circle O.", "PointLiesOnCircle(E, Circle(O))"),
        ("BE is the diameter of circle O.", "PointLiesOnLine(O, Line(B, E))"),
        ("the diameter of ⊙O is BE.", "PointLiesOnCircle(B, Circle(O))"),
        ("OA is a radius of ⊙O", "PointLiesOnCircle(A, Circle(O))"),
        ("AB is a chord of the circle O.", "PointLiesOnCircle(A, Circle(O))"),
        ("AB is the perpendicular bisector of CD", "Perpendicular(Line(A, B), Line(D, C))"),
        ("AB perpendicular bisects CD", "Perpendicular(Line(A, B), Line(D, C))"),
        ("AB and BC are the legs of the right △ ABC.", "Perpendicular(Line(A, B), Line(B, C))"),
        ("CP is the altitude of triangle CAB", "Perpendicular(Line(P, C), Line(A, B))"),
        ("AB and CD are opposite sides of the ▱ ABDC.", "Parallel(Line(A, B), Line(C, D))"),
        ("AB and CD are the parallel sides of trapezoid ACDB", "Parallel(Line(A, B), Line(C, D))"),
        ("∠ABC=90°", "Perpendicular(Line(A, B), Line(B, C))"),
        ("ABCD is a rectangle.", "Perpendicular(Line(A, D), Line(D, C))"),
        ("quadrilateral ABCD is a square.", "Equals(LengthOf(Line(A, B)), LengthOf(Line(B, C)))"),
        ("ABCD is a rhombus.", "Equals(LengthOf(Line(A, D)), LengthOf(Line(D, C)))"),
        ("ABCD is a parallelogram.", "Equals(LengthOf(Line(A, B)), LengthOf(Line(D, C)))"),
        ("ABCD is a ▱.", "Parallel(Line(B, C), Line(A, D))"),
    ],
)
def test_what_the_question_implies_is_read_out_of_it(question: str, form: str) -> None:
    assert implies(question, form)


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("ABCD is a rhombus.", "Perpendicular(Line(A, B), Line(B, C))"),
        ("ABCD is a parallelogram.", "Equals(LengthOf(Line(A, B)), LengthOf(Line(B, C)))"),
        ("AB and CD are the non-parallel sides of trapezoid ADCB", "Parallel(Line(A, B), Line(C, D))"),
        ("Is ABCD a rectangle?", "Perpendicular(Line(A, B), Line(B, C))"),
        ("", "PointLiesOnLine(P, Line(A, B))"),
    ],
)
def test_what_the_question_does_not_imply_is_left_to_the_figure(question: str, form: str) -> None:
    assert not implies(question, form)


@given(st.text() | st.text(alphabet="ABC∠⊥∥=5x°,. ⊙⌒{}is the diameter of", max_size=300))
def test_any_question_can_be_read(question: str) -> None:
    assert isinstance(statements_implied(question), list)

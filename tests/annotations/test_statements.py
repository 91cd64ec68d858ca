from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.logic_forms import LogicFormError, read_logic_form
from perception_reward.annotations.statements import KINDS, Statement, circle_center, read_statement


def read(text: str, centers: tuple[str, ...] = ()) -> Statement:
    return read_statement(read_logic_form(text), centers)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Equals(LengthOf(Line(A, B)), 5)", "Equals(5, LengthOf(Line(B,A)))"),
        ("Equals(LengthOf(Line(A, B)), LengthOf(a))", "Equals(LengthOf(Line(A, B)), a)"),
        ("Equals(LengthOf(Line(A, B)), LengthOf(Line(C, D)))", "Equals(Line(D, C), Line(A, B))"),
        ("Equals(MeasureOf(Angle(A, B, C)), 3+x)", "Equals(MeasureOf(Angle(C, B, A)), x+3)"),
        (
            "Equals(MeasureOf(Angle(A,B,C)), MeasureOf(angle 1))",
            "Equals(MeasureOf(Angle(1)), MeasureOf(Angle(C,B,A)))",
        ),
        ("Perpendicular(Line(A, B), Line(C, D))", "Perpendicular(Line(D, C), Line(A, B))"),
        ("PointLiesOnCircle(A, Circle(O, radius_0_0))", "PointLiesOnCircle(A, O)"),
        ("Equals(AreaOf(Kite(A, B, C, D)), 5)", "Equals(AreaOf(Quadrilateral(C, B, A, D)), 5)"),
        ("Equals(LengthOf(MeasureOf(Arc(A, B))), 5x)", "Equals(MeasureOf(Arc(B, A)), 5x)"),
    ],
)
def test_forms_that_say_the_same_share_a_key(one: str, other: str) -> None:
    assert read(one).key == read(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Equals(MeasureOf(Angle(A, B, C)), x)", "Equals(MeasureOf(Angle(A, C, B)), x)"),
        ("Equals(MeasureOf(Arc(A, B)), 5)", "Equals(LengthOf(Arc(A, B)), 5)"),
        ("Equals(MeasureOf(Minor(Arc(A, B))), 5)", "Equals(MeasureOf(Major(Arc(A, B))), 5)"),
        ("PointLiesOnLine(A, Line(B, C))", "PointLiesOnLine(B, Line(A, C))"),
        ("Perpendicular(Line(A, B), Line(C, D))", "Parallel(Line(A, B), Line(C, D))"),
    ],
)
def test_forms_that_say_different_things_differ_in_their_key(one: str, other: str) -> None:
    assert read(one).key != read(other).key


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ("Equals(LengthOf(Angle(S, Q)), 10x-7)", "has 2 points, not 3"),
        ("Equals(MeasureOf(Line(A, E, N)), 2x-15)", "has 3 points, not 2"),
        ("Equals(MeasureOf(Line(A, E)), 2x-15)", "mixes up lengths and measures"),
        ("Equals(MeasureOf(Angle(L, K, L)), 164)", "names a point twice"),
        ("Equals(LengthOf(Line(A, point_3)), 4)", "point without a name"),
        ("Equals(LengthOf(Line(A, x)), 4)", "'x' is no name of a point"),
        ("Equals(LengthOf(Line(A, B)), 0n8)", "the quantity '0n8'"),
        ("Equals(LengthOf(Line(A, B)), LengthOf(Line(B, A)))", "relates a figure to itself"),
        ("Equals(LengthOf(Line(A, B)), MeasureOf(Arc(A, B)))", "compares length with arc"),
        ("Equals(MeasureOf(Angle(A, B, C)), MeasureOf(angle 7x))", "no label of an angle"),
        ("Equals(Square(1), Square(I, B, H, G))", "neither side"),
        ("PointLiesOnLine(A, Line(A, H))", "an end of the line itself"),
        ("PointLiesOnCircle(O, Circle(O))", "the center of the circle itself"),
        ("Parallel(Line(A, I), Line(I, A))", "relates a figure to itself"),
        ("Parallel(Line(A, I), Circle(A))", "is no line"),
        ("Parallel(Line(A, I))", "takes two arguments, not 1"),
        ("Similar(Triangle(A, B, C), Triangle(D, E, F))", "not a relation that is imported"),
        ("Equals(AreaOf(Sector(O, A, B)), 3)", "Sector is not a figure"),
        ("Equals(HeightOf(Circle(O)), 3)", "has no height"),
        ("Equals(RadiusOf(Triangle(A, B, C)), 3)", "has no radius"),
    ],
)
def test_forms_without_a_sound_meaning_are_refused_with_a_reason(form: str, complaint: str) -> None:
    with pytest.raises(LogicFormError) as caught:
        read(form)
    assert complaint in str(caught.value)


def test_an_arc_written_through_the_center_is_the_arc_between_its_ends() -> None:
    assert read("Equals(MeasureOf(Arc(A, O, B)), 60)", ("O",)).figures[0].points == ("A", "B")
    assert read("Equals(MeasureOf(Arc(A, O, B)), 60)").figures[0].points == ("A", "O", "B")


def test_centers_are_found_in_incidence_forms_only() -> None:
    assert circle_center(read_logic_form("PointLiesOnCircle(A, Circle(O, radius_0_0))")) == "O"
    assert circle_center(read_logic_form("PointLiesOnCircle(A, O)")) == "O"
    assert circle_center(read_logic_form("PointLiesOnLine(A, Line(O, B))")) is None


names = ["Equals", "LengthOf", "MeasureOf", "Line", "Angle", "Arc", "Minor", "Circle", "RadiusOf", "Triangle"]
names += ["PointLiesOnLine", "PointLiesOnCircle", "Perpendicular", "Tangent", "HeightOf"]
forms = st.recursive(
    st.sampled_from(["A", "B", "C", "5", "x", "angle 1", "point_2", "é"]),
    lambda inner: st.builds(
        lambda name, arguments: f"{name}({', '.join(arguments)})",
        st.sampled_from(names),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


@given(forms)
def test_any_form_is_a_statement_of_a_known_kind_or_refused(text: str) -> None:
    try:
        statement = read(text, ("A",))
    except LogicFormError:
        return
    assert statement.kind in KINDS
    assert hash(statement.key) is not None

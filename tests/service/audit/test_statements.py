from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.audit.statements import Statement, independent, read_statement
from perception_reward.trainer_client.wire import Fact


def read(text: str, kind: str = "statement") -> Statement:
    return read_statement(Fact(id="f", text=text, kind=kind))


@pytest.mark.parametrize(
    ("text", "kind", "names", "value", "number"),
    [
        ("Segment AB has length 5.", "length", ("AB",), "5", 5.0),
        ("Segment AB has length 3√2.", "length", ("AB",), "3√2", 18**0.5),
        ("Segment AB has length x + 21.", "length", ("AB",), "x + 21", None),
        ("Angle EGB measures (3x + 10) degrees.", "angle", ("BGE",), "3x + 10", None),
        ("Arc AB measures 110 degrees.", "arc", ("AB",), "110", 110.0),
        ("The radius of circle O is 5.", "radius", ("O",), "5", 5.0),
        ("AC is perpendicular to BC.", "perpendicular", ("AC", "BC"), "", None),
        ("Point G lies on line AB.", "on_line", ("G", "AB"), "", None),
        ("Point A lies on circle O.", "on_circle", ("A", "O"), "", None),
        ("Line PA is tangent to circle O.", "tangent", ("AP", "O"), "", None),
        ("Segments AB and AC have equal length.", "equal_length", ("AB", "AC"), "", None),
    ],
)
def test_a_fact_about_a_figure_is_taken_apart(
    text: str, kind: str, names: tuple[str, ...], value: str, number: float | None
):
    statement = read(text)
    assert (statement.kind, tuple("".join(name) for name in statement.names), statement.value) == (kind, names, value)
    assert statement.number == (None if number is None else pytest.approx(number))


def test_a_number_in_an_angle_is_a_label_only_where_the_fact_says_so():
    assert read("Angle FEI is labelled 4.", "label").kind == "label"
    assert read("Angle FEI is labelled 4.").kind == "other"


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("The bar for Thursday shows 60 books.", "the bar for Thursday shows 60 books"),
        ("Thursday has the tallest bar.", "Thursday has the tallest bar"),
        ("Triangle ABC is isosceles.", "Triangle ABC is isosceles"),
    ],
)
def test_any_other_fact_is_a_clause(text: str, clause: str):
    statement = read(text)
    assert (statement.kind, statement.clause) == ("other", clause)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Segment AB has length 5.", "Segment AC has length 7."),
        ("Angle ABC measures 50 degrees.", "Segment AB has length 7."),
        ("Point G lies on line AB.", "Point H lies on line CD."),
        ("The bar for Thursday shows 60 books.", "The bar for Wednesday shows 35 books."),
        ("There are two dogs.", "Segment AB has length 5."),
    ],
)
def test_facts_about_different_things_are_independent(one: str, other: str):
    assert independent(read(one), read(other))
    assert independent(read(other), read(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Segment AB has length 5.", "Segment BA has length 7."),
        ("Segment AB has length 5.", "Segments AB and AC have equal length."),
        ("Angle ABC measures 50 degrees.", "Angle ABD measures 50 degrees."),
        ("AC is perpendicular to BC.", "Angle ACB measures 90 degrees."),
        ("AC is perpendicular to BC.", "CD is perpendicular to BC."),
        ("Thursday has the tallest bar.", "The bar for Wednesday shows 35 books."),
        ("The bar for Wednesday shows 45 books.", "The bar for Wednesday shows 35 books."),
        ("Triangle ABC is isosceles.", "Segments AB and AC have equal length."),
    ],
)
def test_facts_that_may_bear_on_one_another_are_not(one: str, other: str):
    assert not independent(read(one), read(other))
    assert not independent(read(other), read(one))


@given(st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip())))
def test_any_fact_can_be_read(text: str):
    statement = read(text)
    assert statement.names
    assert isinstance(statement.points, frozenset)

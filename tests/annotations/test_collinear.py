from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.collinear import Collinear
from perception_reward.annotations.logic_forms import read_logic_form
from perception_reward.annotations.statements import Figure, Statement, read_statement


def read(text: str) -> Statement:
    return read_statement(read_logic_form(text))


# A--B--C--D on one line, and E off it.
LINES = Collinear(
    read(f"PointLiesOnLine({middle}, Line({one}, {other}))") for one, middle, other in ("ABC", "ABD", "ACD", "BCD")
)


def same(one: str, other: str, lines: Collinear = LINES) -> bool:
    return lines.key(read(one)) == lines.key(read(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Equals(MeasureOf(Angle(E, B, C)), 50)", "Equals(MeasureOf(Angle(D, B, E)), 50)"),
        ("Perpendicular(Line(A, B), Line(E, C))", "Perpendicular(Line(C, E), Line(C, D))"),
        ("Parallel(Line(A, D), Line(E, F))", "Parallel(Line(E, F), Line(C, B))"),
        ("Equals(MeasureOf(Angle(E, B, C)), MeasureOf(Angle(E, C, B)))",
         "Equals(MeasureOf(Angle(A, C, E)), MeasureOf(Angle(E, B, D)))"),
    ],
)  # fmt: skip
def test_statements_that_differ_in_the_points_of_a_line_only_are_the_same(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Equals(MeasureOf(Angle(E, B, C)), 50)", "Equals(MeasureOf(Angle(E, B, A)), 50)"),
        ("Equals(MeasureOf(Angle(E, B, C)), 50)", "Equals(MeasureOf(Angle(E, C, D)), 50)"),
        ("Equals(LengthOf(Line(A, B)), 5)", "Equals(LengthOf(Line(A, C)), 5)"),
        ("Perpendicular(Line(A, B), Line(E, C))", "Perpendicular(Line(A, B), Line(E, D))"),
    ],
)
def test_opposite_rays_and_lengths_stay_apart(one: str, other: str) -> None:
    assert not same(one, other)


def test_without_points_on_lines_the_keys_tell_the_same_as_their_own() -> None:
    nothing = Collinear([])
    assert same("Perpendicular(Line(A, B), Line(E, C))", "Perpendicular(Line(C, E), Line(B, A))", nothing)
    assert not same("Equals(MeasureOf(Angle(E, B, C)), 50)", "Equals(MeasureOf(Angle(D, B, E)), 50)", nothing)


triples = st.lists(st.permutations("ABCDEF").map(lambda points: points[:3]), max_size=12)


@given(triples, st.permutations("ABCDEF"))
def test_any_points_on_lines_give_every_statement_a_key(on_lines: list[list[str]], points: list[str]) -> None:
    lines = Collinear(read(f"PointLiesOnLine({p}, Line({a}, {b}))") for p, a, b in on_lines)
    one, two, three = points[:3]
    assert same(
        f"Equals(MeasureOf(Angle({one}, {two}, {three})), 5)",
        f"Equals(MeasureOf(Angle({three}, {two}, {one})), 5)",
        lines,
    )
    assert lines.key(read(f"Perpendicular(Line({one}, {two}), Line({two}, {three}))"))


def test_a_line_with_one_end_places_nothing() -> None:
    twice = Statement("on_line", (Figure("point", ("A",)), Figure("segment", ("B", "B"))))
    angle = Statement("angle", (Figure("angle", ("B", "A", "C")),))
    assert Collinear([twice]).key(angle) == Collinear([]).key(angle)

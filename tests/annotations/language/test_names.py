from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.names import NAME, POINT, is_point, points_of, run_of, written_points

point = st.from_regex(r"[A-Z](?:_?[1-9][0-9]?)?['′]{0,2}", fullmatch=True)


@given(st.lists(point, min_size=1, max_size=8))
def test_a_name_falls_into_its_points(points: list[str]) -> None:
    name = "".join(points)
    assert written_points(name) == tuple(points)
    assert points_of(name) == tuple(one.replace("_", "").replace("′", "'") for one in points)
    assert re.fullmatch(NAME, name)


@pytest.mark.parametrize("spelling", ["A'B1", "A′B_1", "A′B_{1}"])
def test_all_spellings_of_a_name_have_the_same_points(spelling: str) -> None:
    assert points_of(spelling) == ("A'", "B1")


@pytest.mark.parametrize("text", ["Bob", r"\Delta", "isABC", "abc"])
def test_a_word_or_a_part_of_one_is_no_name(text: str) -> None:
    assert re.search(NAME, text) is None


@pytest.mark.parametrize(("name", "is_one"), [("A", True), ("A_12", True), ("P''", True), ("AB", False), ("a", False)])
def test_a_point_is_one_capital(name: str, is_one: bool) -> None:
    assert is_point(name) is is_one
    assert (re.fullmatch(POINT, name) is not None) is is_one


def test_a_run_has_as_many_points_as_it_is_asked_for() -> None:
    pattern = re.compile(run_of("2,3"))
    assert [bool(pattern.fullmatch(name)) for name in ("A", "AB", "AB'C_1", "ABCD")] == [False, True, True, False]

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answers.notation import plain
from perception_reward.service.rewards.answers.relations import is_name, read_equality, read_solution, same_name


@pytest.mark.parametrize(
    ("text", "names", "members"),
    [
        ("x = 5", ("x",), ("5",)), ("-5 = x", ("x",), ("-5",)), (r"x = 12\pi \approx 37.7", ("x",), (r"12\pi", "37.7")),
        (r"\approx 113", (), ("113",)), ("5 = 6", (), ("5", "6")), ("AB = BC = 5", ("AB", "BC"), ("5",)),
        (r"\angle ABC = 60^\circ", (r"\angle ABC",), (r"60^\circ",)), ("2x+3y=6", (), ("2x+3y", "6")),
        ("(x,y) = (1,2)", ("(x,y)",), ("(1,2)",)), ("f(x) = x^2", ("f(x)",), ("x^2",)), (r"\sqrt{4}=2", (),
        (r"\sqrt{4}", "2")),
    ],
)  # fmt: skip
def test_an_equality_has_names_and_members(text: str, names: tuple[str, ...], members: tuple[str, ...]) -> None:
    equality = read_equality(plain(text))
    assert equality is not None
    assert (equality.names, equality.members) == (names, members)


@pytest.mark.parametrize("text", ["5", "x < 5", "x", "", "=", "1 < x = 2"])
def test_what_is_no_equality_is_none(text: str) -> None:
    assert read_equality(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 < x < 2", "x \\in (1,2)"), ("3 < x", "x > 3"), (r"x \ge 2", r"x \in [2, \infty)"),
        ("x > 1 and x < 2", "1 < x < 2"),
        ("x < 1 or x > 2", r"x \in (2,\infty) \cup (-\infty,1)"), (r"x \ne 2", "x < 2 or x > 2"),
        (r"\{x | x > 2\}", "x > 2"),
        ("2 > x > 1", "1 < x < 2"),
    ],
)  # fmt: skip
def test_what_says_the_same_of_an_unknown_is_one_solution(one: str, other: str) -> None:
    assert read_solution(plain(one)) == read_solution(plain(other)) is not None


@pytest.mark.parametrize("text", ["5", "x = 5", "x + y < 3", "1, 2", "x < 1 and y < 2", "", r"\{1,2\}"])
def test_what_is_no_solution_is_none(text: str) -> None:
    assert read_solution(text) is None


def test_names_are_letters_and_not_values() -> None:
    assert all(map(is_name, ["x", "AB", r"\angle ABC", r"\text{Area}", "f(x)", "x_1", r"\overline{AB}"]))
    assert not any(map(is_name, ["5", r"\pi", "e", "", "2x", r"\sqrt{2}", "(1,2)"]))
    assert same_name("X", "x")
    assert same_name(r"m\angle ABC", r"\angle ABC")
    assert not same_name("x", "y")


@given(st.text(alphabet="xy12=<>\\infctyle(),[] and{}|", max_size=60))
def test_any_text_is_survived(text: str) -> None:
    read_equality(text)
    read_solution(text)

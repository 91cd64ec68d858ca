from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.values import parse, same
from perception_reward.service.audit.alternatives import altered, number_words, other_values
from perception_reward.service.audit.statements import read_statement
from perception_reward.trainer_client.wire import Fact


@given(st.integers(1, 2000), st.integers(0, 99), st.integers(0, 50))
def test_other_values_of_a_number_are_other_numbers_of_the_same_precision(whole: int, hundredths: int, seed: int):
    statement = read_statement(Fact(id="f", text=f"Segment AB has length {whole}.{hundredths:02}."))
    values = other_values(statement, random.Random(seed))
    assert values
    assert statement.value not in values
    assert all(float(value) > 0 and len(value.partition(".")[2]) == 2 for value in values)


@pytest.mark.parametrize("value", ["3√2", "(13)/(2)", "7", "x + 21", "3x - 4", "(4y - 10)"])
def test_other_values_are_never_the_same(value: str):
    statement = read_statement(Fact(id="f", text=f"Segment AB has length {value}."))
    own = parse(statement.value.replace("√", "sqrt"))
    assert own is not None
    for other in other_values(statement, random.Random(1)):
        found = parse(other)
        assert found is not None
        assert not same(found, own)
        assert found.variables == own.variables


def test_an_unknown_alone_may_be_anything():
    assert other_values(read_statement(Fact(id="f", text="Segment AB has length x.")), random.Random(1)) == []


def test_an_angle_stays_below_a_straight_one():
    values = other_values(read_statement(Fact(id="f", text="Angle ABC measures 175 degrees.")), random.Random(1))
    assert values
    assert all(0 < float(value) < 180 for value in values)


def test_a_label_is_another_small_number():
    statement = read_statement(Fact(id="f", text="Angle FEI is labelled 4.", kind="label"))
    assert sorted(map(int, other_values(statement, random.Random(1)))) == [1, 2, 3, *range(5, 13)]


@pytest.mark.parametrize(
    "clause",
    ["the bar shows 60 books", "there are two dogs", "the awning is red", "pears cost 3.10 per kilogram"],
)
def test_one_number_or_colour_is_replaced(clause: str):
    for seed in range(30):
        found = altered(clause, random.Random(seed))
        assert found is not None
        assert found != clause
        assert len(found.split()) == len(clause.split())


@pytest.mark.parametrize("clause", ["Thursday is first", "2 dogs and 3 cats", "a red and a blue car", "the year A4"])
def test_nothing_is_replaced_where_it_is_not_clear_what(clause: str):
    assert altered(clause, random.Random(1)) is None


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("there are five bicycles", "there are 5 bicycles"),
        ("the table has 3 rows", "the table has three rows"),
        ("it costs 3.10", None),
        ("there are 60 books", None),
        ("two dogs and three cats", None),
        ("the awning is red", None),
    ],
)
def test_a_small_number_is_written_the_other_way(clause: str, expected: str | None):
    assert number_words(clause) == expected

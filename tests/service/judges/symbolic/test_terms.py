"""Texts as terms: what two of them share, and what a sentence makes of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.sentences import read
from perception_reward.service.judges.symbolic.terms import NAMING, heard, terms


def keys(text: str) -> list[object]:
    return [term.key for term in terms(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("three bars", "3 bar"),
        ("crimson cars", "red car"),
        ("the gray cat sleeps", "a grey cat is sleeping"),
        ("twenty-one stamps", "21 stamps"),
        ("a single bus", "1 bus"),
    ],
)
def test_what_says_the_same_has_the_same_keys(one: str, other: str):
    assert keys(one) == keys(other)


def test_values_of_one_kind_exclude_one_another_and_plain_words_do_not():
    kinds = {term.key: term.kind for term in terms("2 red cars, 3 blue vans, Boat B in 2019")}
    red, blue = (kind for key, kind in kinds.items() if isinstance(key, tuple) and str(kind).startswith("class"))
    assert red == blue
    assert list(kinds.values()).count("number") == 2
    assert kinds["car"] == kinds["van"] == ""


@pytest.mark.parametrize("text", ["A large bottle", "one of the bottles"])
def test_an_article_and_one_of_many_are_no_values(text: str):
    assert not any(term.kind for term in terms(text) if term.key != ("class 1", 0))


@pytest.mark.parametrize("text", ["Option A contains circles", "group A's curve", "Group (A) rises", "A is left of B"])
def test_a_letter_that_names_something_is_no_article(text: str):
    assert ("letter", "A") in keys(text)


def test_seconds_are_a_time_and_the_second_is_one_of_several():
    assert [term.kind for term in terms("seconds")] == [""]
    assert terms("second")[0].kind in NAMING


def test_a_year_and_an_amount_are_of_two_kinds():
    assert [term.kind for term in terms("in 1984, 300")] == ["year", "number"]


@pytest.mark.parametrize(
    ("text", "denied", "idle"),
    [
        ("The car is red.", False, False),
        ("The car is not red.", True, False),
        ("Maybe the cat and the car are red.", False, True),
        ("Is the car red?", False, True),
        ("The bus or the car is red.", False, True),
        ("Suppose the car is red.", False, True),
    ],
)
def test_a_term_knows_what_its_sentence_makes_of_it(text: str, denied: bool, idle: bool):
    (sentence,) = read(text).sentences
    last = heard(sentence)[-1]
    assert (last.denied, last.idle) == (denied, idle)


@given(st.text(max_size=300))
def test_terms_stand_where_they_say_in_order(text: str):
    found = terms(text)
    assert all(0 <= term.start < term.end <= len(text) for term in found)
    assert [term.start for term in found] == sorted(term.start for term in found)

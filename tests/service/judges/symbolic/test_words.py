from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.symbolic.words import words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3.0),
        ("three", 3.0),
        ("2,000", 2000.0),
        ("2 thousand", 2000.0),
        ("12.5%", 12.5),
        ("-5", -5.0),
        ("A dozen", 12),
    ],
)
def test_numbers_are_read_in_digits_and_in_words(text: str, value: float) -> None:
    assert [word.value for word in words(text) if word.value is not None] == [value]


def test_a_range_of_years_has_no_negative_number() -> None:
    assert [word.value for word in words("2018-2019") if word.value is not None] == [2018.0, 2019.0]


def test_a_negation_reaches_to_the_end_of_its_clause() -> None:
    heard = words("There is no red dog, but a cat.")
    assert {word.lemma for word in heard if word.negated and word.is_content} == {"red", "dog"}


def test_a_contraction_is_two_words() -> None:
    assert [word.lemma for word in words("isn't")] == ["be", "not"]


@given(st.text())
def test_every_word_stands_where_it_says(text: str) -> None:
    for word in words(text):
        assert text[word.start : word.end] == word.text


def test_what_is_said_of_words_is_found_out_once() -> None:
    heard, asked = words("a red dog and a blue cat"), list[int]()
    for _ in range(3):
        assert heard.once("length", lambda: asked.append(1) or len(heard)) == 7
    assert asked == [1]


def test_words_know_where_their_lemmas_stand() -> None:
    heard = words("No dogs, two dogs and a cat.")
    assert (heard.places["dog"], heard.among(["cat", "dog"])) == ([1, 4], [1, 4, 7])
    assert (heard.negated("dog"), heard.negated("cat"), heard.negates) == (None, False, True)
    assert heard.pairs == {("dog", "dog"), ("dog", "cat")}

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perception_reward.annotations.language.english_numbers import in_words, ordinal_in_words, part_of, said
from perception_reward.annotations.language.numbers import numbers_in, read_ordinal, read_words


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_a_number_in_words_is_read_back(number: int) -> None:
    words = in_words(number)
    assert read_words(words) == number
    assert [(found.value, found.start, found.end) for found in numbers_in(f"is {words}.")] == [
        (number, 3, 3 + len(words))
    ]


@given(st.integers(0, 10**15 - 1))
@example(100)
@example(1000)
def test_a_place_in_words_is_read_back(number: int) -> None:
    words = ordinal_in_words(number)
    assert read_ordinal(words) == number
    assert [(found.value, found.kind) for found in numbers_in(words)] == [(number, "ordinal")]


def test_what_is_too_large_for_words_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        in_words(10**15)
    with pytest.raises(ValueError, match="no place"):
        ordinal_in_words(-1)


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("one two", "1", "one"),
        ("two hundred and five and six", "205", "two hundred and five"),
        ("five thousand two million", "5002", "five thousand two"),
        ("two and two thirds", "8/3", "two and two thirds"),
        ("hundred hundred", "100", "hundred"),
        ("twenty-eleven", "20", "twenty"),
    ],
)
def test_the_longest_number_is_read(text: str, value: str, words: str) -> None:
    found = said(text, 0)
    assert found is not None
    assert (str(found.value), text[found.start : found.end]) == (value, words)


@pytest.mark.parametrize(("word", "part"), [("half", 2), ("thirds", 3), ("tenths", 10), ("second", None), ("x", None)])
def test_a_part_has_a_size(word: str, part: int | None) -> None:
    assert part_of(word) == part

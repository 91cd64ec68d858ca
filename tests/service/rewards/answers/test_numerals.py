from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answers.numerals import read_ordinal, read_words, scaled


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("zero", "0"), ("twenty-one", "21"), ("one hundred and five", "105"), ("three thousand", "3000"),
        ("a hundred", "100"), ("two and a half", "5/2"), ("one third", "1/3"), ("half", "1/2"), ("三", "3"),
        ("十五", "15"), ("二十", "20"), ("一百零五", "105"), ("三千二百", "3200"), ("两万", "20000"),
        ("二〇二四", "2024"),
        ("三分之二", "2/3"), ("百分之五十", "1/2"), ("five six", None), ("and", None), ("", None), ("百", None),
        ("一二十", None), ("apple", None), ("minus four", "-4"), ("negative one half", "-1/2"), ("-four", None),
        ("minus", None), ("minus minus four", None),
    ],
)  # fmt: skip
def test_number_words_are_read(text: str, value: str | None) -> None:
    assert read_words(text) == (None if value is None else Fraction(value))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("3rd", 3), ("third", 3), ("21st", 21), ("twenty-first", 21), (r"3^{rd}", 3), ("第三", 3), ("第12", 12),
        ("11th", 11), ("3th", None), ("5", None), ("the", None),
    ],
)  # fmt: skip
def test_ordinals_are_read(text: str, place: int | None) -> None:
    assert read_ordinal(text) == place


def test_a_scale_word_is_a_part_of_the_number() -> None:
    assert scaled(Fraction(3), "halves") == Fraction(3, 2)
    assert scaled(Fraction(2), "million dollars") is None


@given(st.text(alphabet="onetwhrdfiv -零一二十百千万亿分之第", max_size=30))
def test_any_text_is_survived(text: str) -> None:
    read_words(text)
    read_ordinal(text)

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.numbers import (
    numbers_in,
    read_ordinal,
    read_words,
    scaled,
)


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
        ("hundred", "100"), ("two and three quarters", "11/4"), ("half a million", "500000"), ("a dozen", "12"),
        ("two thousand million", None), ("thirty fifth", None), ("third", "1/3"), ("score", None),
        ("three score", "60"),
    ],
)  # fmt: skip
def test_number_words_are_read(text: str, value: str | None) -> None:
    assert read_words(text) == (None if value is None else Fraction(value))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("3rd", 3), ("third", 3), ("21st", 21), ("twenty-first", 21), (r"3^{rd}", 3), ("第三", 3), ("第12", 12),
        ("11th", 11), ("3th", None), ("5", None), ("the", None), ("one hundred and first", 101), ("hundredth", 100),
    ],
)  # fmt: skip
def test_ordinals_are_read(text: str, place: int | None) -> None:
    assert read_ordinal(text) == place


def test_a_scale_word_is_a_part_of_the_number() -> None:
    assert scaled(Fraction(3), "halves") == Fraction(3, 2)
    assert scaled(Fraction(2), "million dollars") is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("twenty-one dogs", ["21"]),
        ("one two three", ["1", "2", "3"]),
        ("two hundred and five and six", ["205", "6"]),
        ("a hundred and one dalmatians", ["101"]),
        ("1,234 and 12,34", ["1234", "12", "34"]),
        ("1,234,567.5", ["2469135/2"]),
        ("version 12.5.3", ["25/2"]),
        ("A1, P_1 and x2 are names, .5 is none", ["1/2"]),
        ("3/4 of 2 1/2 is 1½", ["3/4", "5/2", "3/2"]),
        ("24/12/2020", ["24", "12", "2020"]),
        ("3 × 10^8 and 2.5e-3", ["300000000", "1/400"]),
        ("1.5 million, 3 dozen, 2万", ["1500000", "36", "20000"]),
        ("x = -5, 3-4, minus six, ten minus two", ["-5", "3", "4", "-6", "10", "2"]),
        ("dozens, hundreds of them, a score of 5", ["5"]),
        ("one third, two-thirds and a quarter", ["1/3", "2/3", "1/4"]),
        ("桌上有十二个苹果，第三个最大", ["12", "3"]),
        ("٣ and ४२ and ５", ["3", "42", "5"]),
        ("the 21st, the 3rd, the 3th and the second", ["21", "3", "3", "2"]),
        ("", []),
    ],
)
def test_numbers_are_found_in_prose(text: str, numbers: list[str]) -> None:
    assert [str(number.value) for number in numbers_in(text)] == numbers


def test_a_place_a_part_and_an_amount_are_told_apart() -> None:
    kinds = {"third": "ordinal", "a third": "fraction", "three": "cardinal", "3rd": "ordinal", "1/3": "fraction"}
    assert {text: number.kind for text in kinds for number in numbers_in(text)} == kinds


@given(st.integers(-(10**15), 10**15), st.sampled_from(["{}", "{:,}"]))
def test_a_number_in_digits_is_found_whole(number: int, form: str) -> None:
    written = form.format(number)
    assert [(found.value, found.end) for found in numbers_in(written)] == [(number, len(written))]


@given(st.integers(0, 999), st.integers(1, 99), st.integers(2, 100))
def test_a_mixed_number_is_its_sum(whole: int, top: int, bottom: int) -> None:
    top = min(top, bottom - 1)
    [found] = numbers_in(f"{whole} {top}/{bottom}")
    assert found.value == whole + Fraction(top, bottom)


@given(st.text(alphabet="٠١٢٣٤٥٦٧٨٩", min_size=1, max_size=12))
def test_digits_of_another_script_are_digits(digits: str) -> None:
    assert [found.value for found in numbers_in(digits)] == [int(digits)]


@given(st.text(alphabet=st.sampled_from("0123456789.,-/ e^×万半½%() andhunredtwoaitv") | st.characters(), max_size=60))
def test_numbers_of_any_text_are_finite_and_in_order(text: str) -> None:
    end = 0
    for number in numbers_in(text):
        assert end <= number.start < number.end <= len(text)
        end = number.end
        float(number.value)


@pytest.mark.parametrize("piece", ["one ", "hundred ", "9", "9,", "1/", "million ", "a ", "minus ", "十", "two and a "])
def test_long_texts_take_linear_time(piece: str) -> None:
    text = piece * (65_000 // len(piece))
    began = time.process_time()
    list(numbers_in(text))
    assert time.process_time() - began < 5


@given(st.text(alphabet="onetwhrdfiv -零一二十百千万亿分之第", max_size=30))
def test_any_text_is_survived(text: str) -> None:
    read_words(text)
    read_ordinal(text)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answers.words import only_number, read_polar, same_words


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("Yes.", "yes"), ("The red one", "red one"), (r"\text{no}", "No"), ("U.S.", "US"), ("triangles", "triangle"),
        ("right-angled", "right angled"), ("It is a dog.", "dog"), ("Mercury is the answer", "Mercury"),
        ("12%", "12 %"),
        ("The animal in the picture is a dog.", "dog"), ("three apples", "3 apples"), ("CO$_2$", "CO_2"),
    ],
)  # fmt: skip
def test_case_punctuation_articles_and_what_leads_to_it_do_not_count(answer: str, reference: str) -> None:
    assert same_words(answer, reference)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("yes and no", "yes"), ("No", "yes"), ("one red", "red one"), ("", ""), ("light blue", "blue"),
        ("isosceles", "isosceles triangle"),
        ("It is a cat, not a dog.", "dog"), ("increases by 1.5", "increases by 15"), ("-5 cm left", "5 cm left"),
        ("12% increase", "1/2% increase"), ("x+1 red", "x-1 red"), ("not red", "red"), ("maybe red", "red"),
    ],
)  # fmt: skip
def test_other_words_signs_and_hedges_differ(answer: str, reference: str) -> None:
    assert not same_words(answer, reference)


@pytest.mark.parametrize(
    ("text", "polar"),
    [
        ("Yes", "yes"), ("Yes, it is", "yes"), ("No there isn't", "no"), ("true.", "true"), ("是的", "yes"),
        ("不是", "no"),
        ("yes or no", None), ("No one", None), ("no solution", None), ("Not", None), ("", None), ("Yes and no", None),
    ],
)  # fmt: skip
def test_yes_and_no_are_read(text: str, polar: str | None) -> None:
    assert read_polar(text) == polar


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("There are 1,200 apples.", "1,200"), ("The area is 25 square cm", "25"), ("9 distinct objects in total", "9"),
        ("The sum is equal to 5", "5"), ("It takes 5 days", "5"), ("共有12人", "12"), ("一共12个苹果", "12"),
    ],
)  # fmt: skip
def test_a_sentence_gives_its_only_number(text: str, number: str) -> None:
    found = only_number(text)
    assert found is not None
    assert found[0] == number


@pytest.mark.parametrize(
    "text",
    [
        "5 or 6", "not 5", "at least 5", "(1,234)", "5", "x5", "between 5 and more", "5 = five", "5 sqrt", "5 lakh",
        "5 unless six", "5 sixes", "more than 5 apples", "5 is wrong", "all but 5", "half of 5", "5 squared",
        "5 zillion",
        "twice 5", "5 to six", "至少5", "大于5", "5或6",
    ],
)  # fmt: skip
def test_a_sentence_with_more_or_less_gives_none(text: str) -> None:
    assert only_number(text) is None


@given(st.text(alphabet="isnot a5,.'dogsyes是不", max_size=60))
def test_any_text_is_survived(text: str) -> None:
    same_words(text, "dog")
    read_polar(text)
    only_number(text)

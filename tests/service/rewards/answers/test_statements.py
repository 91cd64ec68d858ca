from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answers.statements import (
    LONGEST,
    last_statement,
    predicate,
    read_reference,
    without_adverb,
    without_label,
    without_lead,
    without_point,
    without_remark,
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The answer is 5", "5"), ("Answer: 5", "5"), ("It is not B, the answer is D", "D"), (r"\approx 113", "113"),
        ("about 5", "5"), ("so, x=5", "x=5"), ("答案是5", "5"), ("所以x=5", "x=5"), (r"x+2=5 \implies x=3", "x=3"),
        (r"x \in \{1,2\}", r"\{1,2\}"), ("the answer is not 5", "the answer is not 5"), ("5", "5"),
    ],
)  # fmt: skip
def test_what_leads_to_an_answer_is_taken_off(text: str, said: str) -> None:
    assert without_lead(text) == said


def test_a_sentence_says_what_its_subject_is_unless_it_denies_or_doubts() -> None:
    assert predicate(r"The area is 36\pi") == r"36\pi"
    assert predicate("面积是25平方厘米") == "25平方厘米"
    assert predicate("The area is not 5") is None
    assert predicate("It is 5 or 6") is None
    assert predicate("5") is None


def test_of_a_long_text_the_last_statement_is_read() -> None:
    assert last_statement("First this. Then that. The answer is 5") == "5"
    assert last_statement("First this. So B is correct.") == "So B is correct"


def test_labels_and_names_of_points_are_taken_off() -> None:
    assert without_label("Total: 10") == "10"
    assert without_label("2:1") == "2:1"
    assert without_point("P(1,2)") == "(1,2)"
    assert without_point("P(x)") == "P(x)"


def test_an_adverb_that_only_says_how_sure_it_is_is_taken_off() -> None:
    assert without_adverb("definitely (B)") == "(B)"
    assert without_adverb("therefore, no") == "no"
    assert without_adverb("thusly") == "thusly"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"soup." It has few carbs.', "soup"),
        ('"No". There are 5 cubes.', "No"),
        ('"yes."', "yes"),
        ('"5." But it may be more.', '"5." But it may be more.'),
        ('"5." 6 is not it.', '"5." 6 is not it.'),
        ('"5" or "6".', '"5" or "6".'),
    ],
)
def test_of_an_answer_in_quotes_the_remark_behind_it_is_taken_off(text: str, said: str) -> None:
    assert without_remark(text) == said


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ("5", ("5",)), ("<answer> 9 </answer>", ("9",)), ("9 + 33 = 42 eggs.\n#### 42", ("42",)), ("#### 42", ("42",)),
        (r"so the area is $\boxed{25}$.", ("25",)), (r"<answer>\boxed{0.5}</answer>", ("0.5",)),
        ("4|four", ("4|four", "4", "four")), ("|x|", ("|x|",)), (r"P(A|B)", ("P(A|B)",)), ("a+|b|", ("a+|b|",)),
    ],
)  # fmt: skip
def test_the_answer_is_found_in_what_the_data_set_holds(text: str, alternatives: tuple[str, ...]) -> None:
    assert read_reference(text) == alternatives


@given(st.text(alphabet="5|#\\boxed{}<answer>/ ", max_size=60))
def test_any_text_is_survived(text: str) -> None:
    assert all(len(alternative) <= LONGEST for alternative in read_reference(text))

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answers.options import Options, labels_of_reference, named_labels

LETTERS = Options(("A", "B", "C"), ("5", "6", "7"))


def same(one: str, other: str) -> bool:
    return one == other


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("A", "A"), ("(b)", "B"), ("C. 5 cm", "C"), ("D) five", "D"), ("Option A", "A"), ("the answer is (B)", "B"),
        (r"\text{(C)}", "C"), ("[A]", "A"), ("A (5 cm)", "A"), ("A, yes", "A"), ("(A) AB is longest", "A"),
        ("D is correct", "D"), ("I think it is D", "D"), ("选B", "B"), ("答案选D", "D"), ("D选项", "D"), ("A-5", "A"),
        ("It is not B, the answer is D", "D"), ("我認為應該選 A", "A"), ("B because it is 45", "B"), ("45 (B)", "B"),
        ("AC", "AC"), ("C, A", "AC"), ("A and C", "AC"), ("A、C".replace("、", ","), "AC"), ("①③", "①③"),
        ("(A)(C)", "AC"),
        ("definitely (A) Yes", "A"), ("therefore B (No)", "B"), ('"A." It has the letter "A" on it.', "A"),
        ("The answers are A and C", "AC"), ("答案:AC", "AC"),
    ],
)  # fmt: skip
def test_labels_are_read(text: str, labels: str) -> None:
    named = named_labels(text)
    assert named is not None
    assert not named.hedged
    assert named.labels == frozenset(labels)


@pytest.mark.parametrize(
    "text",
    ["", "5", "A or B", "(A) or (B)", "A. 5 or B. 6", "not D", "Don't know", "A car moves", "Dog", "D is wrong",
     "A: B C D", "A (30) B (45)", "A. possibly B", "A->B", "不选D", "A, then B", "not (D)", "it is not (D)",
     "(D) is not right", "D isn't it", "(D) cannot be", "D is clearly the wrong one", '"A." Or B.'],
)  # fmt: skip
def test_hedges_and_other_words_name_nothing(text: str) -> None:
    named = named_labels(text)
    assert named is None or named.hedged


@pytest.mark.parametrize(
    ("reference", "labels"),
    [
        ("C", "C"),
        ("AC", "AC"),
        ("A, C", "AC"),
        ("①③", "①③"),
        ("B. 45", "B"),
        ("(B)", "B"),
        ("CA", None),
        ("BED", None),
        ("red", None),
    ],
)
def test_a_reference_is_a_set_of_labels_where_it_lists_them(reference: str, labels: str | None) -> None:
    named = labels_of_reference(reference)
    assert (None if named is None else named.labels) == (None if labels is None else frozenset(labels))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("B. 6", {1}), ("B. 7", None), ("7", {2}), ("E", None), ("AC", {0, 2}), ("A, D", None), ("B 6", {1}),
        ("A. 5, 6, 7", None),
        ("A. 9", {0}),
    ],
)  # fmt: skip
def test_a_label_with_another_options_text_chooses_nothing(text: str, places: set[int] | None) -> None:
    assert LETTERS.chosen(text, same) == places


def test_labels_may_be_numbers_and_letters_then_name_places() -> None:
    numbered = Options(("1", "2"), ("30", "45"))
    assert numbered.chosen("(2)", same) == numbered.chosen("B", same) == numbered.chosen("45", same) == {1}
    assert LETTERS.indexed("1") == {1}
    assert LETTERS.indexed("3") is None
    assert Options(("①", "②"), ("a", "b")).chosen("②", same) == {1}


@given(st.text(alphabet="ABCDE ().,:orand答案选is", max_size=40))
def test_any_text_is_survived(text: str) -> None:
    named_labels(text)
    labels_of_reference(text)
    LETTERS.chosen(text, same)


def test_an_option_that_is_equal_comes_before_one_to_which_an_answer_rounds() -> None:
    options = Options(("A", "B"), ("1.2", "1.18"))
    rounds = {("1.18", "1.2"), ("1.18", "1.18"), ("1.2", "1.2")}
    assert options.meant("1.18", lambda one, other: (one, other) in rounds) == {1}
    assert options.meant("1.2", lambda one, other: (one, other) in rounds) == {0}

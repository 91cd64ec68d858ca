from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.sequences import Sequence, read_sequence, same_sequence


@pytest.mark.parametrize(
    ("text", "brackets", "items"),
    [
        ("1, 2", "", ("1", "2")), ("1 and 2", "", ("1", "2")), ("(1, 2]", "(]", ("1", "2")),
        ("(1;2)", "()", ("1", "2")),
        (r"\{1,2\}", "{}", ("1", "2")), (r"\{(1,2),(3,4)\}", "{}", ("(1,2)", "(3,4)")),
        (r"\pm 3", "", ("3", "- 3")),
    ],
)  # fmt: skip
def test_sequences_are_read(text: str, brackets: str, items: tuple[str, ...]) -> None:
    assert read_sequence(text) == Sequence(brackets, items)


@pytest.mark.parametrize("text", ["", "5", "(5)", "1,,2", "(1,2)+(3,4)", ",", "1," * 50, "(" * 100])
def test_what_is_no_sequence_is_none(text: str) -> None:
    assert read_sequence(text) is None


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("2, 1", "1, 2", True), (r"\{2,1\}", r"\{1,2\}", True), ("(2,1)", "(1,2)", False), ("1, 2", "(1,2)", True),
        ("(1,2]", "(1,2)", False), (r"\{1,2\}", "(1,2)", False), ("1, 1", "1, 2", False), ("1, 2, 3", "1, 2", False),
    ],
)  # fmt: skip
def test_order_and_brackets_count_where_they_mean_something(answer: str, reference: str, same: bool) -> None:
    mine, theirs = read_sequence(answer), read_sequence(reference)
    assert mine is not None
    assert theirs is not None
    assert same_sequence(mine, theirs, operator.eq) is same


@given(st.text(alphabet="12,;()[]{}\\ and", max_size=60))
def test_any_text_is_survived(text: str) -> None:
    read_sequence(text)

from __future__ import annotations

import operator
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answers.structures import (
    Sequence,
    inside,
    read_matrix,
    read_sequence,
    same_items,
    split_top,
)


@pytest.mark.parametrize(
    ("text", "brackets", "items", "word"),
    [
        ("1, 2", "", ("1", "2"), ""), ("1 and 2", "", ("1", "2"), "and"), ("(1, 2]", "(]", ("1", "2"), ""),
        ("(1;2)", "()", ("1", "2"), ""), (r"\{1,2\}", "{}", ("1", "2"), ""), ("-1 or 3", "", ("-1", "3"), "or"),
        (r"\{(1,2),(3,4)\}", "{}", ("(1,2)", "(3,4)"), ""), ("(3,2) and (1,4)", "", ("(3,2)", "(1,4)"), "and"),
        ("1, 2, and 3", "", ("1", "2", "3"), "and"), (r"\langle 1,2\rangle", "<>", ("1", "2"), ""),
        ("1,331 and 1,728", "", ("1331", "1728"), "and"), ("1,331, 1,728", "", ("1331", "1728"), ""),
        ("1和2", "", ("1", "2"), "and"), ("x < 3 and y > 2", "", ("x < 3", "y > 2"), "and"),
        ("(1,234)", "()", ("1", "234"), ""),
    ],
)  # fmt: skip
def test_sequences_are_read(text: str, brackets: str, items: tuple[str, ...], word: str) -> None:
    assert read_sequence(text) == Sequence(brackets, items, word)


@pytest.mark.parametrize("text", ["", "5", "(5)", "1,,2", "(1,2)+(3,4)", ",", "1," * 50, "(" * 100, "sand", "Oregon"])
def test_what_is_no_sequence_is_none(text: str) -> None:
    assert read_sequence(text) is None


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("2, 1", "1, 2", True), (r"\{2,1\}", r"\{1,2\}", True), ("(2,1)", "(1,2)", False), ("1, 2", "(1,2)", True),
        ("(1,2]", "(1,2)", False), (r"\{1,2\}", "(1,2)", False), ("1, 1", "1, 2", False), ("1, 2, 3", "1, 2", False),
        (r"\langle 1,2\rangle", "(1,2)", True),
    ],
)  # fmt: skip
def test_order_and_brackets_count_where_they_mean_something(answer: str, reference: str, same: bool) -> None:
    mine, theirs = read_sequence(answer), read_sequence(reference)
    assert mine is not None
    assert theirs is not None
    assert same_items(mine, theirs, operator.eq) is same


def test_matrices_are_read_row_by_row() -> None:
    matrix = read_matrix(r"\begin{pmatrix}1&-2\\3&4\end{pmatrix}")
    assert matrix is not None
    assert (matrix.kind, matrix.rows, matrix.vector) == ("matrix", (("1", "-2"), ("3", "4")), None)
    array = read_matrix(r"( \begin{array}{cc} 1 & 2 \\ 3 & 4 \\ \end{array} )")
    assert array is not None
    assert array.rows == (("1", "2"), ("3", "4"))
    column = read_matrix(r"\begin{bmatrix}1\\2\end{bmatrix}")
    assert column is not None
    assert column.vector == ("1", "2")
    nested = read_matrix("[[1,2],[3,4]]")
    assert nested is not None
    assert nested.rows == (("1", "2"), ("3", "4"))
    cases = read_matrix(r"\begin{cases}x & \text{if } x>0\\ 0, & x\le 0\end{cases}")
    assert cases is not None
    assert (cases.kind, cases.rows) == ("cases", (("x", "x>0"), ("0", r"x\le 0")))
    assert read_matrix(r"\begin{pmatrix}1&2\\3\end{pmatrix}") is None
    assert read_matrix("(1,2)") is None


def test_text_is_split_outside_brackets_alone() -> None:
    pattern = re.compile("=")
    assert list(split_top(r"f(a=1) = \{b=2\} = c", pattern)) == [("", "f(a=1)"), ("=", r"\{b=2\}"), ("=", "c")]
    assert inside(r"\{1,2\}") == ("{}", "1,2")
    assert inside("(1)(2)") == ("", "(1)(2)")


@given(st.text(alphabet="12,;()[]{}\\ and&=<>begin", max_size=60))
def test_any_text_is_survived(text: str) -> None:
    read_sequence(text)
    read_matrix(text)
    list(split_top(text, re.compile("=")))

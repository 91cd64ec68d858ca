from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.llm.reply import parse_reply


@given(st.lists(st.sampled_from([0, 1]), max_size=30), st.booleans())
def test_the_asked_form_is_read_exactly(values: list[int], strict: bool):
    text = "\n".join(f"<info{n}>{value}</info{n}>" for n, value in enumerate(values, start=1))
    assert parse_reply(text, len(values), strict=strict) == values


@given(st.text() | st.text("<>/info10. \n"), st.integers(0, 5), st.booleans())
def test_any_text_gives_one_value_or_none_per_fact(text: str, count: int, strict: bool):
    values = parse_reply(text, count, strict=strict)
    assert len(values) == count
    assert all(value is None or 0 <= value <= 1 for value in values)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("1", 1), (" 1\n", 1), ("0.7", 0.7), (".5", 0.5), ("1.", 1), ("-3", 0), ("7", 1), ("+1", 1),
        ("Yes", 1), ("no.", 0), ("Not stated", 0), ("TRUE", 1),
        ("nan", None), ("inf", None), ("1e5", None), ("1 or 0", None), ("", None), ("maybe", None), ("١", None),
    ],
)  # fmt: skip
def test_tolerant_reading(content: str, value: float | None):
    assert parse_reply(f"<info1>{content}</info1>", 1, strict=False) == [value]


@pytest.mark.parametrize("content", ["", " 1", "1.0", "2", "yes", "nan"])
def test_strict_reading_takes_nothing_but_0_and_1(content: str):
    assert parse_reply(f"<info1>{content}</info1>", 1, strict=True) == [None]


def test_a_missing_tag_is_missing_and_the_later_ones_are_read():
    assert parse_reply("<info1>1</info1><info3>0</info3>", 3, strict=True) == [1, None, 0]


def test_the_last_of_several_readings_holds():
    text = "<info1>1</info1> … in the end <info1>0</info1> <info1>1 or 0</info1>"
    assert parse_reply(text, 1, strict=False) == [0]


def test_strictly_a_tag_that_is_given_twice_is_unreadable():
    assert parse_reply("<info1>1</info1><info1>1</info1>", 1, strict=True) == [None]


def test_tags_of_two_facts_do_not_pair_up():
    assert parse_reply("<info1>1</info2>", 2, strict=False) == [None, None]


def test_numbers_beyond_the_facts_are_ignored():
    assert parse_reply("<info0>1</info0><info2>1</info2>", 1, strict=False) == [None]


@pytest.mark.parametrize("unit", ["<info1>", "<info1> ", "</info1>", "<", "<info1>1"])
def test_a_megabyte_of_anything_is_quick(unit: str):
    began = time.process_time()
    parse_reply(unit * (1_000_000 // len(unit)), 5, strict=False)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("strict", [True, False])
def test_what_is_only_thought_decides_nothing(strict: bool):
    thought = "<think>Perhaps <info1>1</info1>, and <info2>1</info2>.</think>"
    assert parse_reply(f"{thought}\n<info1>0</info1><info2>1</info2>", 2, strict=strict) == [0, 1]
    assert parse_reply("<think>Perhaps <info1>1</info1>, and", 1, strict=strict) == [None]

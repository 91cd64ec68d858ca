from __future__ import annotations

import pytest

from perception_reward.service.rewards.answers.lists import (
    as_items,
    as_ratio,
    is_ratio,
    named_values,
    read_list,
    read_ratio,
)
from perception_reward.service.rewards.answers.structures import Sequence


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (r"\pm 3", ("3", "- 3")), (r"x = 1 \pm 2i", ("x = 1 + 2i", "x = 1 - 2i")), ("(x,y) = (1,2)", ("1", "2")),
        ("-1 and 3", ("-1", "3")), ("1,234", None), ("5", None),
    ],
)  # fmt: skip
def test_lists_are_read(text: str, items: tuple[str, ...] | None) -> None:
    found = read_list(text)
    assert (None if found is None else found.items) == items


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y = 2, x = 1", Sequence("()", ("1", "2"))), ("x = 1, x = 2", Sequence("", ("1", "2"))),
        ("x_1 = 1, x_2 = 2", Sequence("", ("1", "2"))), ("x = 1, 2", Sequence("", ("1", "2"))),
        ("1, 2", Sequence("", ("1", "2"))),
    ],
)  # fmt: skip
def test_values_of_different_unknowns_are_in_order_and_of_one_are_not(text: str, expected: Sequence) -> None:
    found = read_list(text)
    assert found is not None
    assert as_items(found, named_values(found)) == expected


@pytest.mark.parametrize(
    ("text", "terms"), [("2:1", 2), ("3 to 4", 2), ("1:2:3", 3), (r"1:\sqrt{3}:2", 3), ("3比4", 2)]
)
def test_ratios_are_read(text: str, terms: int) -> None:
    assert is_ratio(text)
    found = read_ratio(text)
    assert found is not None
    assert len(found) == terms


@pytest.mark.parametrize("text", ["2", "", "a:", "1:2:3:4:5:6", "time: now"])
def test_what_is_no_ratio_is_none(text: str) -> None:
    assert read_ratio(text) is None


def test_a_value_is_a_ratio_to_one_and_a_quantity_is_not() -> None:
    assert as_ratio("0.75") is not None
    assert as_ratio("5 cm") is None

from __future__ import annotations

import pytest

from perception_reward.service.rewards.answers.ratios import as_ratio, is_ratio, read_ratio


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

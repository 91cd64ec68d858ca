from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.boxes import boxes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\boxed{5}", ["5"]),
        (r"\boxed{\frac{1}{2}} and \boxed{ 3 }", [r"\frac{1}{2}", "3"]),
        (r"\boxed{\{1,2\}}", [r"\{1,2\}"]),
        (r"\boxed{\boxed{5}}", [r"\boxed{5}"]),
        (r"\boxed{5 and \boxed{6}", ["6"]),
        (r"\boxed{5", []),
        ("{}}{", []),
        (r"\fbox{A}", ["A"]),
    ],
)
def test_outermost_closed_boxes_are_found(text: str, found: list[str]) -> None:
    assert boxes(text) == found


@given(st.text(alphabet="\\boxed{} a", max_size=60))
def test_any_text_is_survived(text: str) -> None:
    assert all(isinstance(box, str) for box in boxes(text))

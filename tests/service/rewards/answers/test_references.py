from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answers.references import LONGEST, read_reference


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

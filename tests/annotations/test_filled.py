from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.english import sentence
from perception_reward.annotations.filled import statements_filled


@pytest.mark.parametrize(
    ("question", "answer", "says"),
    [
        ("AB=4*y-10, BC=y. Find the value of y.", "7", ["Segment AB has length 18.", "Segment BC has length 7."]),
        ("If $AB = 4y - 10$, find $y$.", "$7$", ["Segment AB has length 18."]),
        ("AB=4*y-10 and y=7. Find CD.", "3", ["Segment AB has length 18.", "Segment CD has length 3."]),
        ("∠ABC=2*x+7°. What is the value of x?", "13/2", ["Angle ABC measures 20 degrees."]),
        ("AB=2*x+y, y=3. Solve for x.", "4", ["Segment AB has length 11."]),
        ("AC⊥BC. Find the measure of ∠ACB.", "90", ["Angle ACB measures 90 degrees."]),
        ("Find the length of AB.", "3\\sqrt{2}", ["Segment AB has length 3√2."]),
        ("Find the area of triangle ABC.", "12", ["The area of polygon ABC is 12."]),
    ],
)
def test_the_values_of_question_and_answer_are_put_in(question: str, answer: str, says: list[str]) -> None:
    assert [sentence(found) for found in statements_filled(question, answer)] == says


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("AB=4*y-10. Find the value of x.", "7"),
        ("AB=5. Find the value of x.", "7"),
        ("AB=4*y-10. Find the value of y.", "B"),
        ("AB=4*y-10. Find the value of y.", None),
        ("AB=1/(y-7). Find the value of y.", "7"),
        ("", "7"),
        (None, None),
    ],
)
def test_what_no_value_is_known_for_is_not_filled_in(question: str | None, answer: str | None) -> None:
    assert statements_filled(question, answer) == []


@given(
    st.text() | st.text(alphabet="ABxy=5+-*/^(). findvalueof", max_size=200), st.text() | st.text("0123456789.-^*/(")
)
def test_any_question_and_answer_can_be_read(question: str, answer: str) -> None:
    assert isinstance(statements_filled(question, answer), list)

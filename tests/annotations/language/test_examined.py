"""What is only to be checked, or called false, states nothing; what stands beside it does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.examined import examined_of
from perception_reward.annotations.language.sentences import read
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact

FACT = Fact(id="f", text="Segment AB has length 5.")


@pytest.mark.parametrize(
    "response",
    [
        "The statement 'AB = 5' is to be checked.",
        "Facts to check:\n1. AB = 5",
        "Facts to verify:\n- AC = 7\n- AB = 5",
        "To be verified: AB = 5.",
        "Statement about the figure: AB = 5.\n\nDoes the response say that this statement holds?",
        "Visual information to be judged:\n<info2>AB = 5</info2>",
        "Check each of the following against the figure.\n- AB = 5",
        'The grader will look for the sentence "AB = 5."',
        "One of these holds: AB = 4; AB = 5; AB = 6.",
        "Which of these holds?\n- AB = 5\n- AB = 6",
        "None of these holds:\n1. AB = 5\n2. BC = 7",
        "The following is false: AB = 5.",
        "The following claims do not hold:\n- AC = 7\n- AB = 5",
        "What follows is not true. AB = 5.",
        "I deny the following: AB = 5.",
        "AB = 5. This is incorrect.",
        "Claim: AB = 5. Verdict: false.",
    ],
)
def test_a_copied_task_states_nothing(response: str) -> None:
    assert decide_all(response, [FACT])[0].label == "absent"


@pytest.mark.parametrize(
    "response",
    [
        "My first reading was wrong:\nAB = 5.",
        "The claims above are false:\nAB = 5.",
        "These two sides are not equal. The figure shows:\n- AB = 5",
        "None of these holds:\n- AC = 7\n\nThe figure gives AB = 5.",
        "It is wrong that AC = 7. AB = 5.",
        "Facts to check:\n1. AC = 7\n\nAB = 5.",
        "The following is false: AC = 7. AB = 5.",
        "AB = 5. AC = 7. This is untrue.",
        "AB = 5. This is not shown.",
        "I will check whether the triangle is right. AB = 5.",
        "One of these holds: AC = 4; AC = 6. The side AB = 5.",
        "The claim is to be verified.\n1. AB = 5 is given.",
        "What I note about the figure: AB = 5.",
    ],
)
def test_what_stands_beside_a_task_is_still_stated(response: str) -> None:
    assert decide_all(response, [FACT])[0].label == "stated"


@given(st.text(alphabet="to be checked:;. \n-1AB=5", max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    ranges = [(sentence.offset, sentence.offset + len(sentence.text)) for sentence in read(text).sentences]
    assert examined_of(text, ranges) <= set(range(len(ranges)))

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answer import extract_answer


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"<think>\boxed{3}</think><answer>\boxed{5}</answer>", "5"),
        (r"<think>x</think><answer> 7 </answer>", "7"),
        (r"<think>x</think> so \boxed{7}", "7"),
        (r"<think>x</think>\boxed{6} \boxed{7}", "7"),
        (r"reasoning only: \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"<answer>\boxed{14} or \boxed{15}</answer>", "14, 15"),
        (r"<answer>\boxed{14} = \boxed{14}</answer>", "14"),
        ("<answer>1</answer><answer>2</answer>", None),
        ("<answer>1</answer><answer>1</answer>", None),
        (r"<think>\boxed{4}", None),
        (r"<think>\boxed{4}</think>", None),
        (r"<think>maybe <answer>\boxed{5}</answer>? Let me", None),
        (r"<think>a</think><answer>\boxed{5}</answer><think>No, let me", None),
        (r"<think>a</think><answer><think>\boxed{5}</answer>", None),
        (r"<think>a <answer></think>\boxed{5}</answer>", "5"),
        (r"maybe \boxed{5}. So</think> \boxed{6}", "6"),
        ("<answer>  </answer>", None),
        ("So the answer is (B).", "(B)."),
        ("**Answer:** 5", "5"),
        ("So the answer is **32**.", "32."),
        ("The answer is 2**3.", "2**3."),
        ("The answer is:\n\nA (Yes)", "A (Yes)"),
        ("The answer is:\n A (Yes)", "A (Yes)"),
        ("**Answer:**\n5", "5"),
        (r"It is \boxed{45 \mathrm{~km}}. The answer is: (E).", "(E)."),
        ("The answer is B.\n\nQuestion: How many apples?\n\nThe answer is C.", "B."),
        (r"So \boxed{5}." "\nHuman: And now?\n" r"\boxed{6}", "5"),
        ("I cannot tell.\n\nQuestion: How many apples?\n\nThe answer is C.", None),
        ("Question: How many apples?\nThe answer is C.", "C."),
        ("I cannot answer this question.", None),
        ("", None),
    ],
)
def test_the_one_answer_is_extracted(response: str, answer: str | None) -> None:
    assert extract_answer(response) == answer


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"maybe \boxed{5}. Wait, let me", None),
        (r"maybe <answer>\boxed{5}</answer>. Wait, let me", None),
        ("The answer is 5. Wait, let me", None),
        (r"maybe \boxed{5}</think>", None),
        (r"maybe \boxed{5}</think><answer>\boxed{6}</answer>", "6"),
        (r"maybe \boxed{5}</think>It is \boxed{6}.", "6"),
    ],
)
def test_a_thought_that_the_prompt_opened_has_no_answer_before_its_end(response: str, answer: str | None) -> None:
    assert extract_answer(response, "<think>") == answer


@pytest.mark.parametrize("unit", [r"\boxed{", "<answer>", "{", "}", "\\", "answer is ", "((((", "<think>"])
def test_a_megabyte_of_anything_takes_little_time(unit: str) -> None:
    started = time.process_time()
    extract_answer(unit * (1_000_000 // len(unit)))
    assert time.process_time() - started < 2


@given(st.text(alphabet=st.characters(), max_size=80))
def test_an_answer_is_never_blank(response: str) -> None:
    answer = extract_answer(response)
    assert answer is None or answer.strip()

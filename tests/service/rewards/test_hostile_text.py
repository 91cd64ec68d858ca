"""What runs on the event loop is quick whatever a response repeats: no pattern may backtrack through it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from perception_reward.service.rewards.accuracy import quick_grade
from perception_reward.service.rewards.answer import extract_answer

LENGTH = 2000
LIMIT = 0.02

REPEATED = [
    "a", "m", "A", "1", "0", ".", ",", " ", "(", ")", "[", "]", "{", "}", "\\", "\\a", "\\frac", "\\text{", "\\boxed{",
    "^", "^{", "_", "=", "<", "+", "-", "*", "**", "/", ":", ";", "$", "%", "'", '"', "`", "!", "~", "|", "é", "如",
    "√(", "²", "\n", "a ", "1 ", "1,", "1,1", "a1", "a{", "m ", "or ", "A) ", "(A)", "cm/", "cm^2", "x=", "\u200b",
    "<|a", "<think>", "<answer>", "answer is ", "answer: * ", "\\pm", "\\approx", "\\text{}", "1.5 ", "a-", "½", "°",
]  # fmt: skip
AROUND = [("", ""), ("", r"? \approx 5"), ("", " = ?"), ("5 ", "!"), ("(", "="), ("$", "$"), ("answer is ", "\n")]
REFERENCES = ["5", "13/2", "5 cm", "x = 5", "(1,2)", "yes", "the red one", "12:30", "x + 1"]
CHOICES = tuple(zip("ABCDE", ("5 cm", "7", "(1,2)", "red one", "x^2"), strict=True))


def hostile(repeated: str, before: str, after: str, length: int) -> str:
    return before + repeated * ((length - len(before) - len(after)) // len(repeated)) + after


def slowness(work: Callable[..., object], *arguments: object) -> float:
    """The least of three times, so that a busy machine makes nothing slow."""
    times: list[float] = []
    for _ in range(3):
        started = time.thread_time()
        work(*arguments)
        times.append(time.thread_time() - started)
        if times[-1] < LIMIT:
            break
    return min(times)


@pytest.mark.parametrize("repeated", REPEATED)
def test_an_answer_that_repeats_itself_is_decided_at_once(repeated: str):
    for before, after in AROUND:
        for length in (30, 60, 390, LENGTH):
            answer = hostile(repeated, before, after, length)
            for reference in REFERENCES if length in (60, LENGTH) else REFERENCES[:2]:
                assert slowness(quick_grade, answer, (reference,)) < LIMIT, (before, after, length, reference)
            assert slowness(quick_grade, answer, ("B",), CHOICES) < LIMIT, (before, after, length)


@pytest.mark.parametrize("repeated", REPEATED)
def test_a_response_that_repeats_itself_is_read_at_once(repeated: str):
    for before, after in AROUND:
        for wrapped in ("{}", "<answer>{}", "<answer>{}</answer>", "<think>{}</think><answer>{}</answer>"):
            response = wrapped.replace("{}", hostile(repeated, before, after, LENGTH))
            assert slowness(extract_answer, response) < LIMIT, (before, after, wrapped)

"""The format reward is exact about blocks and free about white space."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.format import format_reward
from perception_reward.service.scoring.responses import stripped
from perception_reward.trainer_client.tokens import opened_thought

FORMED = [
    "<think>\nAB = 5.\n</think>\n<answer>\n\\boxed{5}\n</answer>",
    "<think>AB = 5.</think><answer>\\boxed{5}</answer>",
    "<think>AB = 5.</think>\n\n\n<answer>\\boxed{5}</answer>",
    "  \n<think>AB = 5.</think> <answer>\\boxed{5}</answer>\n\n",
    "<think>\r\nAB = 5.\r\n</think>\r\n<answer>\r\n\\boxed{5}\r\n</answer>\r\n",
    "<think></think><answer>\\boxed{5}</answer>",
    "<think>a\u2028b</think>\u3000<answer>Hence \\boxed{\\frac{1}{2}} cm.</answer>",
    "<think>x</think><answer>\\boxed{\\{1, 2\\}}</answer>",
    "<think>x</think><answer>\\boxed{{5}}</answer>",
    "<think>x</think><answer>\\boxed{} or rather \\boxed{5}</answer>",
    "<think>\\boxed{4}?</think><answer>\\boxed{5}</answer>",
    "<think>if a < b and b > c</think><answer>\\boxed{a < c}</answer>",
]

MALFORMED = {
    "empty": "",
    "no blocks": "\\boxed{5}",
    "no thoughts": "<answer>\\boxed{5}</answer>",
    "no answer": "<think>x</think>\\boxed{5}",
    "think never closed": "<think>x<answer>\\boxed{5}</answer>",
    "think never opened": "x</think><answer>\\boxed{5}</answer>",
    "answer never closed": "<think>x</think><answer>\\boxed{5}",
    "answer never opened": "<think>x</think>\\boxed{5}</answer>",
    "text in front": "Sure! <think>x</think><answer>\\boxed{5}</answer>",
    "text between": "<think>x</think> so <answer>\\boxed{5}</answer>",
    "text behind": "<think>x</think><answer>\\boxed{5}</answer> Done.",
    "other order": "<answer>\\boxed{5}</answer><think>x</think>",
    "two think blocks": "<think>x</think><think>y</think><answer>\\boxed{5}</answer>",
    "two answer blocks": "<think>x</think><answer>\\boxed{5}</answer><answer>\\boxed{6}</answer>",
    "nested think": "<think><think>x</think></think><answer>\\boxed{5}</answer>",
    "nested answer": "<think>x</think><answer><answer>\\boxed{5}</answer></answer>",
    "answer inside think": "<think>x<answer>\\boxed{5}</answer></think>",
    "crossed tags": "<think>x<answer></think>\\boxed{5}</answer>",
    "an answer tag mentioned in the thoughts": "<think>use <answer></think><answer>\\boxed{5}</answer>",
    "upper case": "<THINK>x</THINK><ANSWER>\\boxed{5}</ANSWER>",
    "space in a tag": "<think >x</think><answer>\\boxed{5}</answer>",
    "attribute": '<think>x</think><answer lang="en">\\boxed{5}</answer>',
    "escaped tags": "&lt;think>x</think><answer>\\boxed{5}</answer>",
    "invisible character in a tag": "<thi\u200bnk>x</think><answer>\\boxed{5}</answer>",
    "no box": "<think>x</think><answer>5</answer>",
    "box only in the thoughts": "<think>\\boxed{5}</think><answer>5</answer>",
    "empty box": "<think>x</think><answer>\\boxed{}</answer>",
    "blank box": "<think>x</think><answer>\\boxed{ \n }</answer>",
    "box never closed": "<think>x</think><answer>\\boxed{5</answer>",
    "box closed by an inner brace only": "<think>x</think><answer>\\boxed{{5}</answer>",
    "box closed by an escaped brace": "<think>x</think><answer>\\boxed{5\\}</answer>",
    "box closed outside the answer": "<think>x</think><answer>\\boxed{5</answer>}",
}


@pytest.mark.parametrize("response", FORMED)
def test_a_think_block_then_an_answer_block_with_a_box_is_rewarded(response: str) -> None:
    assert format_reward(response) == 1.0


@pytest.mark.parametrize("response", MALFORMED.values(), ids=MALFORMED.keys())
def test_anything_else_is_not(response: str) -> None:
    assert format_reward(response) == 0.0


def test_a_thought_that_the_prompt_opened_counts_as_opened() -> None:
    response = "AB = 5.\n</think>\n<answer>\\boxed{5}</answer>"
    assert format_reward(response, "<think>") == 1.0
    assert format_reward(response) == 0.0
    assert format_reward("<think>" + response, "<think>") == 0.0
    assert format_reward("<answer>\\boxed{5}</answer>", "<think>") == 0.0
    assert format_reward("<answer>\\boxed{5}</answer>", "<think></think>") == 1.0


@pytest.mark.parametrize("response", FORMED)
def test_every_form_may_have_its_opening_tag_in_the_prompt(response: str) -> None:
    rest = response.lstrip().removeprefix("<think>")
    assert (format_reward(rest, "<think>"), format_reward(rest)) == (1.0, 0.0)


CASES = [json.loads(line) for line in Path(__file__).with_name("format_cases.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['id']}: {case['note']}" for case in CASES])
def test_responses_as_trainers_send_them_have_the_form_or_not(case: dict[str, Any]) -> None:
    words, _ = stripped(case["response"])
    opened = opened_thought("<｜Assistant｜><think>\n" if case["kind"] == "prefilled" else "")
    assert format_reward(words, opened) == case["expected"]


SPACE = st.text(" \t\n\r\u00a0\u3000", max_size=4)
PROSE = st.text(st.characters(exclude_characters="<>{}\\"), max_size=60)


@given(SPACE, SPACE, SPACE, PROSE, PROSE, PROSE.filter(lambda text: text.strip()))
def test_white_space_and_contents_are_free(
    before: str, between: str, behind: str, thoughts: str, prose: str, result: str
) -> None:
    answer = f"<answer>{prose}\\boxed{{{result}}}{prose}</answer>"
    assert format_reward(f"{before}<think>{thoughts}</think>{between}{answer}{behind}") == 1.0


@given(
    st.lists(
        st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "{", "}", "5", "\n", "\ud800"]),
        max_size=12,
    )
)
def test_it_is_one_only_for_the_four_tags_once_and_in_order(pieces: list[str]) -> None:
    tags = [piece for piece in pieces if piece.endswith(("k>", "r>"))]
    if format_reward("".join(pieces)):
        assert tags == ["<think>", "</think>", "<answer>", "</answer>"]


@pytest.mark.parametrize(
    "filling",
    ["(", "\\boxed{", "{", "}", "<", "<think", "\\", "\n", "a a ", "\\boxed{}"],
)
def test_a_megabyte_of_anything_takes_well_under_a_second(filling: str) -> None:
    response = f"<think>x</think><answer>{filling * (1_000_000 // len(filling))}</answer>"
    started = time.process_time()
    assert format_reward(response) == 0.0
    assert time.process_time() - started < 1.0

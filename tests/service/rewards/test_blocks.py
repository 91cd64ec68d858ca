from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.blocks import boxes, split_blocks, thought_tags
from perception_reward.trainer_client.tokens import Opened

tags = st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "x", "\r\n", "<answer", "\ud800"])


@pytest.mark.parametrize(
    ("response", "think", "answers", "visible"),
    [
        ("<think>a</think><answer>b</answer>", "a", ("b",), "<answer>b</answer>"),
        ("<think>a</think>\r\n<answer>\r\nb\r\n</answer>\r\n", "a", ("\r\nb\r\n",), None),
        ("a</think>b", "a", (), "b"),
        ("<think>a", "a", (), ""),
        ("<think>a<answer>b</answer>", "a<answer>b</answer>", (), ""),
        ("<think>a</think><answer>b</answer><think>c", "a</think><answer>b</answer><think>c", (), ""),
        ("<think>a<think>b</think><answer>c</answer>", "a<think>b", ("c",), None),
        ("<think>a<answer>b</think>c</answer>", "a<answer>b", (), "c</answer>"),
        ("<answer>a<think>b</answer>", "b</answer>", (), ""),
        ("<think><answer>a</answer></think><answer>b</answer>", None, ("b",), None),
        ("<answer>a</answer><answer>b</answer>", None, ("a", "b"), None),
        ("<answer><answer>a</answer></answer>", None, ("a",), None),
        ("<answer>a", None, (), "<answer>a"),
        ("</answer>a", None, (), "</answer>a"),
        ("<think>a</think>b<think>c</think>d", "a</think>b<think>c", (), "d"),
        ("", None, (), ""),
    ],
)
def test_blocks_are_found(response: str, think: str | None, answers: tuple[str, ...], visible: str | None) -> None:
    blocks = split_blocks(response)
    assert blocks.answer_texts == answers
    if think is not None:
        assert blocks.think_text == think
    if visible is not None:
        assert blocks.visible_text == visible


@pytest.mark.parametrize(
    ("opened", "response", "think", "answers", "visible"),
    [
        ("<think>", "a</think><answer>b</answer>", "a", ("b",), "<answer>b</answer>"),
        ("<think>", "a <answer>b</answer>", "a <answer>b</answer>", (), ""),
        ("<think>", "a \\boxed{5}", "a \\boxed{5}", (), ""),
        ("<think>", "", "", (), ""),
        ("<think>", "<think>a</think><answer>b</answer>", "<think>a", ("b",), None),
        ("<think>", "a</think><answer>b</answer><think>c", None, (), ""),
        ("<think></think>", "<answer>b</answer>", None, ("b",), "<answer>b</answer>"),
        ("<think></think>", "<think>a<answer>b</answer>", "a<answer>b</answer>", (), ""),
    ],
)
def test_a_thought_that_the_prompt_opened_is_open(
    opened: Opened, response: str, think: str | None, answers: tuple[str, ...], visible: str | None
) -> None:
    blocks = split_blocks(response, opened)
    assert blocks.answer_texts == answers
    if think is not None:
        assert blocks.think_text == think
    if visible is not None:
        assert blocks.visible_text == visible


@given(st.lists(tags, max_size=30).map("".join))
def test_a_prompts_tag_is_as_good_as_the_responses_own(response: str) -> None:
    whole, split = split_blocks("<think>" + response), split_blocks(response, "<think>")
    assert split.answer_texts == whole.answer_texts
    assert split.think_text == whole.think_text
    assert split.visible_text == whole.visible_text


@pytest.mark.parametrize(
    ("opened", "response", "tags"),
    [
        ("", "AB = 5", "none"),
        ("", "<think>a</think>b", "opened"),
        ("", "a</think>b", "unopened"),
        ("", "a</think>b<think>c</think>", "unopened"),
        ("<think>", "a</think>b", "opened"),
        ("<think>", "<think>a</think>b", "reopened"),
        ("<think>", "a", "none"),
        ("<think></think>", "a</think>", "unopened"),
    ],
)
def test_the_first_tag_fits_the_prompt_or_not(opened: Opened, response: str, tags: str) -> None:
    assert thought_tags(response, opened) == tags


@given(st.lists(tags, max_size=30))
def test_spans_lie_in_order_inside_the_response(parts: list[str]) -> None:
    response = "".join(parts)
    blocks = split_blocks(response)
    for start, end in (*blocks.answers, blocks.visible, *([blocks.think] if blocks.think else [])):
        assert 0 <= start <= end <= len(response)
    assert list(blocks.answers) == sorted(blocks.answers)


@pytest.mark.parametrize(
    "filling", ["<", "<t", "<think>", "</think>", "<answer>", "</answer>", "<answer></answer>", "{"]
)
def test_a_megabyte_of_anything_is_split_at_once(filling: str) -> None:
    response = filling * (1_000_000 // len(filling))
    times: list[float] = []
    for _ in range(3):
        started = time.thread_time()
        split_blocks(response)
        times.append(time.thread_time() - started)
    assert min(times) < 0.03


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
    assert list(boxes(text)) == found


@given(st.text(alphabet="\\boxed{} a", max_size=60))
def test_any_text_is_survived(text: str) -> None:
    assert all(isinstance(box, str) for box in boxes(text))

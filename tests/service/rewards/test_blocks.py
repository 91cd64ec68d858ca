from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.blocks import split_blocks

tags = st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "x", "\r\n", "<answer", "\ud800"])


@pytest.mark.parametrize(
    ("response", "think", "answers", "visible"),
    [
        ("<think>a</think><answer>b</answer>", "a", ("b",), "<answer>b</answer>"),
        ("<think>a</think>\r\n<answer>\r\nb\r\n</answer>\r\n", "a", ("\r\nb\r\n",), None),
        ("a</think>b", "a", (), "b"),
        ("<think>a", "a", (), ""),
        ("<think>a<answer>b</answer>", "a<answer>b</answer>", ("b",), ""),
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

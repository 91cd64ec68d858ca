from __future__ import annotations

import pytest

from perception_reward.service.scoring.responses import response_text, stripped, was_parsed
from perception_reward.trainer_client.wire import ScoreItem


def text(response: object) -> str:
    return response_text(ScoreItem.model_validate({"response": response}).response)


def test_a_string_is_itself():
    assert text("AB = 5") == "AB = 5"


def test_text_blocks_are_joined_and_images_dropped():
    blocks = [{"type": "text", "text": "one"}, {"type": "image"}, {"type": "text", "text": "two"}]
    assert text(blocks) == "one\ntwo"
    assert text([{"role": "assistant", "content": blocks}]) == "one\ntwo"


def test_only_the_policys_own_messages_count():
    messages = [
        {"role": "system", "content": "AB = 5"},
        {"role": "user", "content": "AB = 5"},
        {"role": "assistant", "content": "said"},
        {"role": "tool", "content": "AB = 5"},
    ]
    assert text(messages) == "said"


def test_a_message_without_a_role_is_the_policys():
    assert text([{"content": "said"}]) == "said"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "output_text", "text": "said"},
        {"role": "model", "content": "said"},
        {"role": "assistant", "text": "said"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "said"}]},
    ],
)
def test_the_words_of_other_servers_are_read(part: dict[str, object]):
    assert text([part]) == "said"


def test_a_users_block_is_not_the_policys():
    assert text([{"role": "user", "type": "text", "text": "AB = 5"}, {"role": "assistant", "content": ""}]) == ""


def test_strings_in_lists_are_text():
    assert text(["a", "b"]) == "a\nb"


def test_an_empty_response_is_empty():
    assert text("") == text([]) == text([{"role": "assistant", "content": None}]) == ""


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_beside_a_messages_content_is_the_thought(field: str):
    message = {"role": "assistant", field: "AB = 5", "content": "<answer>5</answer>"}
    assert text([message]) == "<think>AB = 5</think>\n<answer>5</answer>"
    assert text([{**message, "content": [{"type": "text", "text": "5"}]}]) == "<think>AB = 5</think>\n5"
    # A thought that the length cut has no content behind it.
    assert text([{**message, "content": None}]) == "<think>AB = 5</think>"


def test_a_thought_told_twice_is_one():
    assert text([{"role": "assistant", "reasoning_content": "a", "reasoning": "a", "content": "b"}]) == (
        "<think>a</think>\nb"
    )


@pytest.mark.parametrize("nothing", [None, "", {"effort": "high"}, []])
def test_reasoning_without_text_is_none(nothing: object):
    assert text([{"role": "assistant", "reasoning": nothing, "content": "b"}]) == "b"


def test_a_users_reasoning_is_not_the_policys():
    assert text([{"role": "user", "reasoning": "AB = 5"}, {"role": "assistant", "content": "b"}]) == "b"


def test_control_tokens_at_the_ends_are_no_words_and_their_place_is_known():
    assert stripped("<|im_start|>assistant\nAB = 5<|im_end|>") == ("AB = 5", 22)
    assert stripped(" AB = 5 ") == (" AB = 5 ", 0)


def test_whether_a_parser_took_out_the_thought_is_known():
    def parsed(response: object) -> bool:
        return was_parsed(ScoreItem.model_validate({"response": response}).response)

    assert parsed([{"role": "user", "content": "?"}, {"role": "assistant", "reasoning": "a", "content": "b"}])
    assert not parsed([{"role": "assistant", "content": "a</think>b"}])
    assert not parsed("<think>a</think>b")

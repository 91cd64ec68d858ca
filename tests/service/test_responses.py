from __future__ import annotations

import pytest

from perception_reward.service.responses import response_text
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

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from perception_reward.trainer_client.trainers.completions import said, text_of


class Message(BaseModel):
    role: str = "assistant"
    content: str | None
    reasoning_content: str | None = None


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    "completion",
    [
        "AB = 5",
        ["AB = 5"],
        [{"role": "assistant", "content": "AB = 5"}],
        {"role": "assistant", "content": "AB = 5"},
        [{"role": "assistant", "content": [{"type": "text", "text": "AB = 5"}]}],
        [{"role": "assistant", "content": [IMAGE, {"type": "text", "text": "AB = 5"}]}],
        [{"type": "output_text", "text": "AB = 5"}, IMAGE],
        [{"content": "AB = 5"}],
        [SimpleNamespace(role="assistant", content="AB = 5")],
        [Message(content="AB = 5")],
        [{"role": "assistant", "content": None, "tool_calls": []}, {"role": "assistant", "content": "AB = 5"}],
        [{"role": "assistant", "content": "AB = 5"}, {"role": "tool", "content": "CD = 7"}],
        [{"role": "user", "content": "CD?"}, {"role": "assistant", "content": "AB = 5"}],
    ],
)
def test_every_form_gives_the_policy_s_words_alone(completion: Any) -> None:
    assert text_of(completion) == "AB = 5"


def test_several_turns_are_joined_by_newlines() -> None:
    turns = [{"role": "assistant", "content": "AB = 5"}, {"role": "tool", "content": "ok"}]
    assert text_of([*turns, {"role": "assistant", "content": "AC = 13"}]) == "AB = 5\nAC = 13"


@pytest.mark.parametrize("made", [Message, lambda **fields: {"role": "assistant", **fields}], ids=["model", "mapping"])
def test_reasoning_that_a_parser_took_out_is_back_in_its_tags(made: Any) -> None:
    assert text_of([made(content="AC = 13", reasoning_content="AB = 5")]) == "<think>AB = 5</think>\nAC = 13"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_has_several_names(field: str) -> None:
    assert text_of([{"role": "assistant", field: "AB = 5", "content": "AC = 13"}]) == "<think>AB = 5</think>\nAC = 13"


OPENED = "<｜User｜>Find AC.<｜Assistant｜><think>\n"


@pytest.mark.parametrize(
    ("completion", "prompt", "fields"),
    [
        ("AB = 5", OPENED, {"response": "AB = 5", "prefix": "<think>"}),
        ("AB = 5", "Find AC.", {"response": "AB = 5"}),
        ("AB = 5", [{"role": "user", "content": OPENED}], {"response": "AB = 5"}),
        ("AB = 5", None, {"response": "AB = 5"}),
        ([{"role": "assistant", "content": "AB = 5"}], OPENED, {"response": "AB = 5", "prefix": "<think>"}),
        (
            [{"role": "assistant", "reasoning": "AB = 5", "content": "13"}],
            OPENED,
            {"response": "<think>AB = 5</think>\n13", "prefix": ""},
        ),
        (
            {"role": "assistant", "reasoning_content": "AB = 5", "content": "13"},
            None,
            {"response": "<think>AB = 5</think>\n13", "prefix": ""},
        ),
    ],
)
def test_what_the_prompt_had_written_is_told_where_it_is_known(
    completion: Any, prompt: Any, fields: dict[str, str]
) -> None:
    assert said(completion, prompt) == fields


def test_a_policy_that_said_nothing_gives_an_empty_text() -> None:
    assert text_of([{"role": "assistant", "content": ""}]) == text_of([]) == text_of("") == ""


def test_what_is_no_completion_is_refused() -> None:
    with pytest.raises(TypeError, match="int is none of them"):
        text_of([17])

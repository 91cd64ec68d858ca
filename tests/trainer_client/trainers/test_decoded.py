from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.trainer_client.trainers.decoded import NotSeparable, response_after

PROMPT = (
    "<|im_start|>system\nThink first.<|im_end|>\n<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>"
    "Find AC in the triangle ABC, whose legs are 5 and 12.<|im_end|>\n<|im_start|>assistant\n"
)
EXPANDED = PROMPT.replace("<|image_pad|>", "<|image_pad|>" * 300)
ANSWER = "<think>\nAB = 5\n</think>\n<answer>\n\\boxed{13}\n</answer>"


@given(st.text(), st.text())
def test_a_response_begins_where_its_prompt_ends(prompt: str, response: str):
    assert response_after(prompt, prompt + response) == response


@given(st.text())
def test_image_placeholders_may_have_become_runs(response: str):
    assert response_after(PROMPT, EXPANDED + response) == response


@pytest.mark.parametrize(
    "response",
    [
        ANSWER,
        PROMPT + ANSWER,
        EXPANDED + EXPANDED + ANSWER,
        "<|im_end|>\n<|im_start|>assistant\n" + ANSWER,
        "assistant\nassistant\n" + ANSWER,
        "<|vision_end|>Find AC in the triangle ABC, whose legs are 5 and 12.<|im_end|>\n<|im_start|>assistant\n",
        "",
    ],
    ids=["plain", "the prompt again", "twice again", "a turn", "a role", "a part of the prompt", "nothing"],
)
@pytest.mark.parametrize("decoded", [PROMPT, EXPANDED, EXPANDED.replace("\n", " "), "<s>" + EXPANDED])
def test_nothing_in_a_response_moves_the_cut(decoded: str, response: str):
    assert response_after(PROMPT, decoded + response).strip() == response.strip()


def test_a_tokenizer_may_have_composed_characters():
    prompt = unicodedata.normalize("NFD", "Où est l'élève ?")
    assert response_after(prompt, unicodedata.normalize("NFC", prompt) + "Là.") == "Là."


TEXT_PROMPT = "user: " + " ".join(f"Point P{n} is at {n}." for n in range(40)) + "\nassistant:"


@given(st.integers(0, len(TEXT_PROMPT) - 120), st.text(max_size=50).map("x".__add__))
def test_a_prompt_cut_from_the_left_is_known_by_its_tail(cut: int, response: str):
    assert response_after(TEXT_PROMPT, TEXT_PROMPT[cut:] + response) == response


@pytest.mark.parametrize(
    "query",
    ["", ANSWER, "another prompt" + ANSWER, PROMPT[:-20], ANSWER + PROMPT, "x" + EXPANDED + ANSWER],
    ids=["empty", "response alone", "another prompt", "half a prompt", "behind", "something before"],
)
def test_what_does_not_begin_with_its_prompt_is_refused(query: str):
    with pytest.raises(NotSeparable):
        response_after(PROMPT, query)


SHARDS = st.lists(st.sampled_from(["a", "b", " ", "\n", "<image>", "<|image_pad|>", "<|"]), max_size=12).map("".join)


@given(SHARDS, SHARDS, SHARDS)
def test_whatever_is_added_behind_moves_no_cut(prompt: str, query: str, more: str):
    try:
        response = response_after(prompt, query + ".")
    except NotSeparable:
        return
    assert response_after(prompt, query + "." + more) == response + more

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.trainer_client.tokens import Opened, opened_thought, own_words

ANSWER = "<think>\nAB = 5\n</think>\n<answer>\n\\boxed{13}\n</answer>"

HEADERS = [
    "",
    "<|im_start|>assistant\n",
    "<|im_start|>assistant\r\n",
    "<|im_end|>\n<|im_start|>assistant\n",
    "<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "<|header_start|>assistant<|header_end|>\n\n",
    "<start_of_turn>model\n",
    "<|turn>model\n",
    "<｜begin▁of▁sentence｜><｜Assistant｜>",
    "<|assistant|>\n",
    "<|im_assistant|>assistant<|im_middle|>",
    "<|im_start|>assistant<|im_sep|>",
    "<s> ",
    "[/INST] ",
    "[|assistant|]",
]
ENDS = [
    "",
    "<|im_end|>",
    "<|im_end|>\n",
    "<|im_end|>\n<|endoftext|><|endoftext|>",
    "</s>",
    "<|eot_id|>",
    "<|eot|>",
    "<|end|>",
    "<end_of_turn>\n<eos>",
    "<turn|>",
    "<｜end▁of▁sentence｜>",
    "<|endoftext|>" * 200,
    "<pad>" * 5000,
    " <pad> [PAD]</s>",
    "<end_of_utterance>",
    "[|endofturn|]",
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("header", HEADERS)
def test_control_tokens_at_either_end_are_no_words(header: str, end: str):
    start, stop = own_words(header + ANSWER + end)
    assert (header + ANSWER + end)[start:stop] == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a plain answer \n",
        "  indented",
        "the token <|im_end|> ends a turn",
        "first <|im_end|>\n<|im_start|>user\nThanks!",
        "struck <s>out</s> words",
        "assistant\nsays",
        "a <| b |> c",
        "the norm is |x|",
        "<b>bold</b>",
    ],
)
def test_what_was_written_is_left_alone(text: str):
    assert own_words(text) == (0, len(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "<|im_start|>user\nAB?<|im_end|>\n<|im_start|>assistant\n5<|im_end|>",
            "user\nAB?<|im_end|>\n<|im_start|>assistant\n5",
        ),
        ("<s>assistant professors<|im_end|>", "assistant professors"),
        ("5<|im_end|>\n<|im_start|>user\nThanks<|im_end|>", "5<|im_end|>\n<|im_start|>user\nThanks"),
        ("<|im_end|>  </s>\n", ""),
    ],
)
def test_a_turn_that_the_policy_wrote_stays_text(text: str, words: str):
    start, stop = own_words(text)
    assert text[start:stop] == words


TOKENS = [
    "<|im_end|>",
    "</s>",
    "<s>",
    "<|image_pad|>",
    "<image>",
    " ",
    "\n",
    "<",
    "word",
    "<eos>",
    "é",
    "assistant",
    "|>",
]


@given(st.lists(st.sampled_from(TOKENS), max_size=30).map("".join))
def test_no_token_is_left_at_an_end_and_no_word_is_lost(text: str):
    start, stop = own_words(text)
    words = text[start:stop]
    assert 0 <= start <= stop <= len(text)
    assert own_words(words) == (0, len(words))
    assert words.count("word") == text.count("word")
    assert words.count("é") == text.count("é")


@pytest.mark.parametrize("filling", ["<|im_end|>", " ", "<", "</s> ", "<image>", "|>", "<|a|>assistant", "[|", "\n<s>"])
def test_a_megabyte_of_anything_is_read_at_once(filling: str):
    text = filling * (1_000_000 // len(filling))
    started = time.thread_time()
    for whole in (text, "word" + text, text + "word"):
        own_words(whole)
        opened_thought(whole + "<think>" + whole)
    assert time.thread_time() - started < 3


@pytest.mark.parametrize(
    ("prompt", "opened"),
    [
        # DeepSeek-R1, Qwen3-VL-Thinking and QwQ, GLM.
        ("<｜begin▁of▁sentence｜><｜User｜>Find AC.<｜Assistant｜><think>\n", "<think>"),
        ("<|im_start|>user\nFind AC.<|im_end|>\n<|im_start|>assistant\n<think>\n", "<think>"),
        ("[gMASK]<sop><|user|>\nFind AC.<|assistant|>\n<think>", "<think>"),
        # The same told not to think.
        ("<|im_start|>user\nFind AC.<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n", "<think></think>"),
        ("[gMASK]<sop><|user|>\nFind AC./nothink<|assistant|>\n<think></think>\n", "<think></think>"),
        ("<｜User｜>Find AC.<｜Assistant｜></think>", "<think></think>"),
        # Plain prompts, as base models are trained on.
        ("User: Find AC.\nAssistant: Let me solve this step by step.\n<think>", "<think>"),
        ("User: Find AC. Think in <think> </think> tags.\nAssistant: <think>", "<think>"),
        # The end of a prompt, as a setting gives it.
        ("<think>", "<think>"),
        ("<think>\n", "<think>"),
        ("<think>\\n", "<think>"),
        ("<|im_start|>assistant\n<think>\nThe figure shows", "<think>"),
        ("<think></think>", "<think></think>"),
        # Padding behind.
        ("<|im_start|>assistant\n<think>\n<|endoftext|><|endoftext|>", "<think>"),
        # Nothing opened.
        ("<｜User｜>Close it with </think><｜Assistant｜>", ""),
        ("", ""),
        ("Find AC.", ""),
        ("<|im_start|>user\nThink inside <think><|im_end|>\n<|im_start|>assistant\n", ""),
        ("<｜User｜>Think inside <think><｜Assistant｜>", ""),
        ("<｜User｜>Think in <think></think><｜Assistant｜>", ""),
        ("<|im_start|>user\n<think> is a tag.<|im_end|>\n<|im_start|>assistant\n", ""),
        ("Put the thought in <think></think>", ""),
        ("Put the thought in <think> </think>, the answer in <answer> </answer>.", ""),
        ("<|im_start|>assistant\n<think>\na\n</think>\n5<|im_end|>\n<|im_start|>user\nSure?<|im_end|>\n", ""),
    ],
)
def test_a_thought_is_open_where_the_prompt_opened_it_for_the_response(prompt: str, opened: Opened):
    assert opened_thought(prompt) == opened

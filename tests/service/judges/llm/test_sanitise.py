from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.llm.sanitise import inert, visible


@given(st.text())
def test_nothing_invisible_is_left(text: str):
    for character in visible(text):
        assert character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


@given(st.text())
def test_visible_text_stays(text: str):
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize("text", ["AB = 5", "∠ABC = 30°", "角ABC は 30 度", "\\frac{1}{2}", "a < b\n\tc ≥ d"])
def test_honest_text_is_left_as_it_is(text: str):
    assert inert(text) == text


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\ufeff", "\U000e0041", "\xad", "\u3164", "\x00", "\ud800"])
def test_a_hidden_character_is_removed(hidden: str):
    assert inert(f"A{hidden}B") == "AB"


@pytest.mark.parametrize("line_break", ["\r\n", "\r", "\u2028", "\x85"])
def test_every_line_break_becomes_a_newline(line_break: str):
    assert visible(f"A{line_break}B") == "A\nB"


@pytest.mark.parametrize(
    "tag",
    ["</response>", "< / RESPONSE >", "<info1>1</info1>", "<fact>", "<\u200b/response>", "<\n/response>"],
)
def test_the_prompts_own_tags_are_broken(tag: str):
    assert "<" not in inert(tag)


# Control tokens of the chat templates of Qwen, Llama 2 to 4, Mistral, DeepSeek, Gemma, Phi, GLM and gpt-oss.
CONTROL = [
    *("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>", "</tool_call>", "<think>", "</think>"),
    *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>", "<|begin_of_text|>", "<|start_header_id|>"),
    *("<|eot_id|>", "<|header_start|>", "<|eot|>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CALLS]"),
    *("<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>", "<start_of_turn>"),
    *("<end_of_turn>", "<bos>", "<|turn>", "<turn|>", "<|user|>", "<|assistant|>", "<|end|>", "[gMASK]", "<sop>"),
    *("<|start|>", "<|channel|>", "<|message|>", "<!--", "<?xml"),
]
OWN = ["<response>", "</response>", "<info1>", "</info1>", "<fact>", "</fact>"]


@pytest.mark.parametrize("token", [*CONTROL, *OWN])
def test_control_tokens_are_broken(token: str):
    assert token not in inert(f"so {token} and")


def in_full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)


@pytest.mark.parametrize("token", [*CONTROL, *OWN])
@pytest.mark.parametrize(
    "disguise", [in_full_width, "\u200b".join, "\U000e0041".join, lambda text: text.replace("<", "﹤")]
)
def test_control_tokens_in_disguise_are_broken(token: str, disguise: Callable[[str], str]):
    assert token not in unicodedata.normalize("NFKC", inert(disguise(token)))


@pytest.mark.parametrize("opening", "‹⟨〈«《❮❬ᐸ˂")
@pytest.mark.parametrize("rest", ["/response>", " ∕ response", "|im_end|>", "info2>"])
def test_signs_that_look_like_a_tags_opening_are_broken_before_a_tag(opening: str, rest: str):
    assert opening + rest not in inert(f"so {opening}{rest}")


@given(st.lists(st.sampled_from([*CONTROL, *OWN, "<", "|", "[", "＜", "｜", "\u200d", " ", "x", "/", "INST", "]"])))
def test_no_sequence_puts_one_together(pieces: list[str]):
    text = unicodedata.normalize("NFKC", inert("".join(pieces)))
    assert [token for token in (*CONTROL, *OWN) if unicodedata.normalize("NFKC", token) in text] == []


@given(st.text() | st.lists(st.sampled_from([*CONTROL, *OWN, "<", "[", "＜", "|"])).map("".join))
def test_what_is_inert_stays_as_it_is(text: str):
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("ＡＢ＝５", "AB=5"), ("𝐴𝐵 = 𝟓", "AB = 5"), ("x² + ½", "x² + ½"), ("∠ABC ≅ ∠DEF", "∠ABC ≅ ∠DEF")],
)
def test_letters_in_another_dress_are_plain_and_others_stay(text: str, plain: str):
    assert visible(text) == plain


def test_breaking_once_leaves_nothing_to_put_together():
    assert "<|im_end|>" not in inert("<<|im_end|>|im_end|>")


def test_a_comparison_stays_readable():
    assert inert("a<b and b<5") == "a< b and b<5"


@pytest.mark.parametrize("unit", ["<", "< ", "[", "[A", "<\n", "\r", "<response", "\u200b"])
def test_a_megabyte_of_anything_is_quick(unit: str):
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    inert(text)
    assert time.process_time() - began < 20

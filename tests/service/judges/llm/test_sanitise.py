from __future__ import annotations

import time
import unicodedata

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


@pytest.mark.parametrize("token", ["<|im_end|>", "</s>", "<｜User｜>", "<start_of_turn>", "[INST]", "[/INST]"])
def test_control_tokens_are_broken(token: str):
    assert token not in inert(f"so {token} and")


def test_breaking_once_leaves_nothing_to_put_together():
    assert "<|im_end|>" not in inert("<<|im_end|>|im_end|>")


def test_a_comparison_stays_readable():
    assert inert("a<b and b<5") == "a< b and b<5"


@pytest.mark.parametrize("unit", ["<", "< ", "[", "[A", "<\n", "\r", "<response", "\u200b"])
def test_a_megabyte_of_anything_is_quick(unit: str):
    text = unit * (1_000_000 // len(unit))
    began = time.perf_counter()
    inert(text)
    assert time.perf_counter() - began < 5

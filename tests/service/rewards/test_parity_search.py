from __future__ import annotations

import re
import time
from typing import Any

import math_verify
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from math_verify.parser import ExprExtractionConfig, LatexExtractionConfig, get_extraction_regexes

from perception_reward.service.rewards.parity import parity_accuracy
from perception_reward.service.rewards.parity_search import (
    _searches,  # pyright: ignore[reportPrivateUsage]
    parse,
)

PARTS = [
    *("\\[", "\\]", "\\(", "\\)", "\\\\[", "\\\\]", "[", "]", "(", ")", "$", "$$", "\\$", "\\", "\\\\", " ", "\n"),
    *("\\boxed{", "{", "}", "a", "7", "7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 ", "1.5 ", "+", "-", "=", "*", "**", ","),
    *("and", "answer:", "final answer is", "I hope", ".", "%", "\\frac{1}{2}", " [", "] ", "\\boxed{5}", "1,234"),
]
TEXT = st.lists(st.sampled_from(PARTS), max_size=40).map("".join)


def pairs() -> list[tuple[re.Pattern[str], Any]]:
    theirs = get_extraction_regexes([LatexExtractionConfig(), ExprExtractionConfig()])
    ours = _searches()
    return [
        (pattern, search)
        for (patterns, _), (searches, _) in zip(theirs, ours, strict=True)
        for (pattern, _), (search, _) in zip(patterns, searches, strict=True)
    ]


def found(pattern: Any, text: str) -> list[Any]:
    return [(match.start(), match.end(), match.groupdict()) for match in pattern.finditer(text)]


def test_the_patterns_are_those_that_are_known():
    """Of math-verify's patterns, those that look for formulas and for expressions are searched for otherwise."""
    assert sum(not isinstance(search, re.Pattern) for _, search in pairs()) == 7


@settings(max_examples=600, deadline=None)
@given(TEXT)
@example("$\\[ [\\[a] \\( \\boxed{5}} \\] $")
@example("= 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 + 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7.")
@example(" [a \\( b] ")
@example("\\[ a \\boxed{ \\[ b } \\\\] \\] \\[\\]")
def test_it_finds_what_the_patterns_find(text: str):
    for pattern, search in pairs():
        assert found(search, text) == found(pattern, text)


def test_a_text_with_what_stands_for_hidden_characters_is_searched_as_it_is():
    text = "\udc80 $5$ \\[ 7 \\( "
    for pattern, search in pairs():
        assert found(search, text) == found(pattern, text)
    assert parse(text) == math_verify.parse(text, parsing_timeout=None)


CUT_OFF = [
    "\\[ a ",
    "\\( a ",
    "7 ",
    "7.5 ",
    "\\boxed{a} ",
    "\\[ \\boxed{a} ",
    "\\( \\boxed{",
    "\n\\[ x = 5",
    "so x is \\( a ",
]


@pytest.mark.parametrize("before", ["", "$"])
@pytest.mark.parametrize("part", CUT_OFF)
def test_formulas_that_never_end_take_linear_time(part: str, before: str):
    def seconds(characters: int) -> float:
        text = before + part * (characters // len(part))
        started = time.process_time()
        parity_accuracy(text, "5")
        return time.process_time() - started

    seconds(100)
    assert seconds(65_536) < 3.0

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.excerpt import Excerpt, excerpt, is_scope

RESPONSE = "<description>AB = 5</description><think>so 12</think><answer>13</answer>"


def test_the_whole_response_is_judged_unless_told_otherwise():
    assert excerpt(RESPONSE, "response") == Excerpt(RESPONSE, 0)


@pytest.mark.parametrize(("scope", "text"), [("description", "AB = 5"), ("think", "so 12"), ("answer", "13")])
def test_a_part_is_what_stands_in_its_block(scope: str, text: str):
    assert excerpt(RESPONSE, scope) == Excerpt(text, RESPONSE.index(text))


@pytest.mark.parametrize(
    "response",
    [
        "",
        "AB = 5",
        "<description>AB = 5",
        "AB = 5</description>",
        "</description>AB = 5<description>",
        "<description >",
    ],
)
def test_a_response_without_the_block_has_no_such_part(response: str):
    assert excerpt(response, "description") is None
    assert excerpt(response, "think") is None


def test_a_tag_that_is_only_mentioned_opens_nothing():
    found = excerpt("I need a <description> first. <description>AB = 5</description>", "description")
    assert found is not None
    assert found.text == "AB = 5"


def test_of_several_blocks_the_first_is_judged():
    found = excerpt("<p>one</p> <p>two</p>", "p")
    assert found is not None
    assert found.text == "one"


def test_thinking_that_was_cut_off_reaches_to_the_end():
    assert excerpt("<think>AB = 5 and", "think") == Excerpt("AB = 5 and", 7)


def test_thinking_that_the_prompt_opened_begins_with_the_response():
    assert excerpt("AB = 5</think>13", "think", "<think>") == Excerpt("AB = 5", 0)
    assert excerpt("AB = 5 and", "think", "<think>") == Excerpt("AB = 5 and", 0)
    assert excerpt("13", "think", "<think></think>") is None


@given(st.lists(st.sampled_from(["<p>", "</p>", "<think>", "</think>", "x", "\n"])).map("".join))
def test_an_excerpt_stands_in_the_response_where_it_says(response: str):
    for scope in ("response", "think", "p"):
        found = excerpt(response, scope)
        if found is not None:
            assert response[found.start : found.start + len(found.text)] == found.text


@pytest.mark.parametrize(
    ("scope", "right"), [("response", True), ("my-tag_2", True), ("<p>", False), ("", False), ("a b", False)]
)
def test_a_scope_is_a_name(scope: str, right: bool):
    assert is_scope(scope) is right

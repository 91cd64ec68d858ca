"""What a text says, without what it only asks, offers, hedges or supposes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.asserted import asserted
from perception_reward.annotations.language.notation import normalise


def test_what_is_stated_stays_whole():
    text = "AB = 5, so BC is 7.\nThe circle has centre O"
    said = asserted(text)
    assert said.claimed == said.stated == text


@pytest.mark.parametrize("text", ["Is AB 5?", "Either AB is 5 or BC is 7.", "A) AB = 5\nB) AB = 7", "AB may be 5."])
def test_what_is_asked_hedged_or_offered_is_not_said(text: str):
    said = asserted(text)
    assert "5" not in said.claimed + said.stated


@pytest.mark.parametrize("text", ["If AB = 5, BC is 7.", "Suppose AB = 5.", "AB is 5 if BC is 7."])
def test_what_is_supposed_can_contradict_and_not_state(text: str):
    said = asserted(text)
    assert "5" in said.claimed
    assert "5" not in said.stated


def test_the_rest_of_a_sentence_and_its_neighbours_stay():
    said = asserted("Since AB = 5, what is BC? CD = 9.")
    assert "AB = 5" in said.stated
    assert "CD = 9" in said.stated
    assert "BC" not in said.stated


@given(st.text(alphabet="AB =5?.,;:\n(or)if", max_size=80))
def test_nothing_is_added(text: str):
    said = asserted(text)
    words = Counter(normalise(text).text) + Counter(" \n" * 80)
    assert Counter(said.stated) <= words
    assert Counter(said.claimed) <= words

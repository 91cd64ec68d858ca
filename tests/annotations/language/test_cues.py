from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.cues import _CUE, cues_of  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("AB is not 5, but it may be 7.", ["negated not", "edge ,", "edge but", "hedged may"]),
        ("The claim that AB = 5 does not hold.", ["reported claim that", "denial not hold"]),
        ("It isn't true that AB = 5.", ["refuted n't true that"]),
        ("Not only is AB 5.", ["neutral not only"]),
        ("AB = 5, or AB = 7.", ["hedged , or"]),
        ("NO = 5.", []),
        ("Any value other than 5.", ["negated other than"]),
        ("It is tempting to say it.", ["reported tempting to"]),
        ("At first glance AB = 5.", ["weak first glance"]),
    ],
)
def test_cues_stand_in_their_order(sentence: str, found: list[str]) -> None:
    assert [f"{kind} {word}" for kind, _, _, word in cues_of(sentence)] == found


@given(st.text(alphabet="is not, or but false: the claim that AB=5", max_size=80))
def test_cues_do_not_overlap(text: str) -> None:
    ends = [place for _, start, end, _ in cues_of(text) for place in (start, end)]
    assert ends == sorted(ends)


_VOCABULARY = sorted(set(re.findall("[a-z]{2,}", _CUE.pattern)))


@pytest.mark.parametrize("first", _VOCABULARY)
def test_a_cue_is_found_wherever_the_pattern_has_one(first: str) -> None:
    text = " ; ".join(f"{first} {second}" for second in _VOCABULARY)
    found = {start for _, start, _, _ in cues_of(text)}
    assert {match.start() for match in _CUE.finditer(text)} <= found

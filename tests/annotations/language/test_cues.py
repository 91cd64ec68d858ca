from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.cues import cues_of


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("AB is not 5, but it may be 7.", ["negated not", "edge ,", "edge but", "hedged may"]),
        ("The claim that AB = 5 does not hold.", ["reported claim that", "denial not hold"]),
        ("It isn't true that AB = 5.", ["refuted n't true that"]),
        ("Not only is AB 5.", ["neutral not only"]),
        ("AB = 5, or AB = 7.", ["hedged , or"]),
        ("NO = 5.", []),
    ],
)
def test_cues_stand_in_their_order(sentence: str, found: list[str]) -> None:
    assert [f"{kind} {word}" for kind, _, _, word in cues_of(sentence)] == found


@given(st.text(alphabet="is not, or but false: the claim that AB=5", max_size=80))
def test_cues_do_not_overlap(text: str) -> None:
    ends = [place for _, start, end, _ in cues_of(text) for place in (start, end)]
    assert ends == sorted(ends)

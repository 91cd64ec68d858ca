"""Only what is asserted states something."""

from __future__ import annotations

import pytest

from perception_reward.annotations.language.moods import mood_of


@pytest.mark.parametrize(
    ("sentence", "phrase", "mood"),
    [
        ("AB is 5.", "AB is 5", "asserted"),
        ("AB is not 5.", "AB is not 5", "negated"),
        ("AB isn't 5.", "AB isn't 5", "negated"),
        ("AB might be 5.", "AB might be 5", "hedged"),
        ("Perhaps AB is 5.", "AB is 5", "hedged"),
        ("AB is 5 or 7.", "AB is 5", "hedged"),
        ("If AB is 5, BC is 7.", "BC is 7", "hypothetical"),
        ("AB is 5 if BC is 7.", "AB is 5", "hypothetical"),
        ("Is AB 5?", "AB 5", "question"),
        ("Since AB = 5, what is BC?", "AB = 5", "asserted"),
        ("It is false that AB = 5.", "AB = 5", "negated"),
        ("AB = 5 is wrong.", "AB = 5", "negated"),
        ("AB is not 5 but BC is 7.", "BC is 7", "asserted"),
        ("AB seems to be 5.", "AB seems to be 5", "weak"),
        ("Not only is AB 5.", "AB 5", "asserted"),
        ("AB = 5 or AB = 7.", "AB = 7", "hedged"),
        ("AB = 5, or AB = 7.", "AB = 5", "hedged"),
        ("AB = 5 (or AB = 7, I am not sure).", "AB = 5", "hedged"),
        ("AB = 10/2 or simply AB = 5.", "AB = 5", "asserted"),
        ("The leg or side AB is 5.", "AB is 5", "asserted"),
        ("Neither is BC 7 nor is AB 5.", "AB 5", "negated"),
        ("It is possible that AB = 5.", "AB = 5", "hedged"),
        ("It is impossible that AB = 5.", "AB = 5", "negated"),
        ("Had the figure shown that AB = 5, I would be done.", "AB = 5", "hypothetical"),
        ("In a different figure, AB = 5.", "AB = 5", "hypothetical"),
        ("It is not true that, in the figure, AB = 5.", "AB = 5", "negated"),
        ("If and only if this holds, AB = 5.", "AB = 5", "asserted"),
    ],
)
def test_the_mood_of_a_place(sentence: str, phrase: str, mood: str) -> None:
    start = sentence.index(phrase)
    assert mood_of(sentence, start, start + len(phrase)) == mood

"""Only what is asserted states something."""

from __future__ import annotations

import pytest

from perception_reward.annotations.language.moods import mood_of, stretches
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact


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
        ("AB = 5, which is false.", "AB = 5", "negated"),
        ("AB = 5, which is right.", "AB = 5", "asserted"),
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
        ("It is false that AB is not 5.", "AB is not 5", "asserted"),
        ("It is not false that AB = 5.", "AB = 5", "asserted"),
        ("It is wrong that BC = 7 nor is AB 5.", "AB 5", "negated"),
        ("It cannot be the case that, in the figure, AB = 5.", "AB = 5", "negated"),
        ("The claim that AB = 5 does not hold.", "AB = 5", "negated"),
        ("I disagree with the idea that AB = 5.", "AB = 5", "negated"),
        ("It is tempting to say AB = 5.", "AB = 5", "hedged"),
        ("The user claims that AB = 5.", "AB = 5", "hedged"),
        ("According to one reader, AB = 5.", "AB = 5", "hedged"),
        ("The user says AB = 7, but AB = 5.", "AB = 5", "asserted"),
        ("We say that AB = 5.", "AB = 5", "asserted"),
        ("The figure tells us that AB = 5.", "AB = 5", "asserted"),
        ("The other states are lighter.", "lighter", "asserted"),
        ("The caption claims that AB = 5.", "AB = 5", "hedged"),
        ("It is widely believed that AB = 5.", "AB = 5", "hedged"),
        ("It is known that AB = 5.", "AB = 5", "asserted"),
        ("Incorrect: AB = 5.", "AB = 5", "negated"),
        ("AB = 5: false.", "AB = 5", "negated"),
        ("I first read AB = 5, but this turned out to be wrong.", "AB = 5", "negated"),
        ("AB = 5, and it is wrong to say that BC is shorter.", "AB = 5", "asserted"),
        ("AB looks parallel to CD, but they meet.", "parallel to CD", "hedged"),
        ("AB looks parallel to CD, but BC is longer.", "parallel to CD", "weak"),
    ],
)
def test_the_mood_of_a_place(sentence: str, phrase: str, mood: str) -> None:
    start = sentence.index(phrase)
    assert mood_of(sentence, start, start + len(phrase)) == mood


@pytest.mark.parametrize(
    "sentence",
    [
        "The friends say hello in the first panel.",
        "It looks like a cat, but it is black.",
        "The following is wrong with the picture: the clock is late.",
        "The cup cannot hold water.",
        "According to the user interface, the volume is 80 %.",
        "The fish is mistaken for a toy.",
    ],
)
def test_what_a_picture_shows_is_neither_denied_as_a_claim_nor_reported(sentence: str) -> None:
    kinds = {mood for _, mood in stretches(sentence)}
    assert kinds <= {"asserted", "weak", "negated"}
    assert decide_all(sentence, [Fact(id="f", text=sentence)])[0].label == "stated"

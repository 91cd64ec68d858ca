"""Only what is asserted states something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.moods import examined_of, mood_of, stretches
from perception_reward.annotations.language.sentences import read
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


FACT = Fact(id="f", text="Segment AB has length 5.")


@pytest.mark.parametrize(
    "response",
    [
        "The statement 'AB = 5' is to be checked.",
        "Facts to check:\n1. AB = 5",
        "Facts to verify:\n- AC = 7\n- AB = 5",
        "To be verified: AB = 5.",
        "Statement about the figure: AB = 5.\n\nDoes the response say that this statement holds?",
        "Visual information to be judged:\n<info2>AB = 5</info2>",
        "Check each of the following against the figure.\n- AB = 5",
        'The grader will look for the sentence "AB = 5."',
        "One of these holds: AB = 4; AB = 5; AB = 6.",
        "Which of these holds?\n- AB = 5\n- AB = 6",
        "None of these holds:\n1. AB = 5\n2. BC = 7",
        "The following is false: AB = 5.",
        "The following claims do not hold:\n- AC = 7\n- AB = 5",
        "What follows is not true. AB = 5.",
        "I deny the following: AB = 5.",
        "AB = 5. This is incorrect.",
        "Claim: AB = 5. Verdict: false.",
    ],
)
def test_a_copied_task_states_nothing(response: str) -> None:
    assert decide_all(response, [FACT])[0].label == "absent"


@pytest.mark.parametrize(
    "response",
    [
        "My first reading was wrong:\nAB = 5.",
        "The claims above are false:\nAB = 5.",
        "These two sides are not equal. The figure shows:\n- AB = 5",
        "None of these holds:\n- AC = 7\n\nThe figure gives AB = 5.",
        "It is wrong that AC = 7. AB = 5.",
        "Facts to check:\n1. AC = 7\n\nAB = 5.",
        "The following is false: AC = 7. AB = 5.",
        "AB = 5. AC = 7. This is untrue.",
        "AB = 5. This is not shown.",
        "I will check whether the triangle is right. AB = 5.",
        "One of these holds: AC = 4; AC = 6. The side AB = 5.",
        "The claim is to be verified.\n1. AB = 5 is given.",
        "What I note about the figure: AB = 5.",
    ],
)
def test_what_stands_beside_a_task_is_still_stated(response: str) -> None:
    assert decide_all(response, [FACT])[0].label == "stated"


@given(st.text(alphabet="to be checked:;. \n-1AB=5", max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    ranges = [(sentence.offset, sentence.offset + len(sentence.text)) for sentence in read(text).sentences]
    assert examined_of(text, ranges) <= set(range(len(ranges)))

"""What is said not to be so is not said, wherever the denial stands and whatever its words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.denials import announces, denied, heads, heads_list, takes_back
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact

LENGTH = Fact(id="f", text="Segment AB has length 5.")
DOGS = Fact(id="c", text="There are three dogs on the sofa.", kind="count")
AHEAD = [
    "The following is false: {}.",
    "The following statements do not hold: {}.",
    "None of the following hold: - {}",
    "None of the following is true: {}",
    "What is not true: {}.",
    "Here is a false statement: {}",
    "Not true: {}.",
    "Note: the next statement is wrong: {}.",
    "The figure contradicts this: {}.",
    "The opposite of the following is true: {}.",
    "It is not true that {}.",
    "It is not so that {}.",
    "It is false to claim that {}.",
    "It is false to say {}.",
    "It is a myth that {}.",
    "It is anything but true that {}.",
    "I deny that {}.",
    "Contrary to the claim that {}, nothing is known.",
]
AROUND = [
    "The claim that {} is wrong.",
    "The idea that {} does not hold.",
    'The statement "{}" is not true.',
    "'{}' is false.",
    "The negation of '{}' holds.",
]
BEHIND = [
    "{}: false.",
    "{} - false",
    "{} (not true)",
    "{}, which is false.",
    "{} does not hold.",
    "Someone said that {}, which is wrong.",
]


@pytest.mark.parametrize("denial", [*AHEAD, *AROUND, *BEHIND])
@pytest.mark.parametrize(("fact", "said"), [(LENGTH, "AB = 5"), (LENGTH, "AB is 5"), (DOGS, "there are three dogs")])
def test_a_denied_statement_is_contradicted(denial: str, fact: Fact, said: str) -> None:
    said = f"{said} on the sofa" if fact is DOGS else said
    assert decide_all(said, [fact])[0].label == "stated"
    assert decide_all(denial.format(said), [fact])[0].label == "contradicted"


@pytest.mark.parametrize("denial", [*AHEAD, *AROUND, *BEHIND])
def test_a_denial_of_another_value_says_nothing_of_this_one(denial: str) -> None:
    assert decide_all(denial.format("AB = 7"), [LENGTH])[0].label == "absent"


@pytest.mark.parametrize(
    "response",
    [
        "Everything below is false.\n- {}",
        "What follows is false. {}.",
        "The next sentence is wrong. {}.",
        "Below are false statements.\n- AC = 7\n- {}",
        "None of the following holds.\n1. {}",
        "Things that do not hold:\n- {}",
        "Wrong:\n- {}",
        "I reject the following claims:\n- {}",
        "{}. That is false.",
        "{}. No, this statement is not true.",
    ],
)
@pytest.mark.parametrize(("fact", "said"), [(LENGTH, "AB = 5"), (DOGS, "There are three dogs on the sofa")])
def test_what_the_sentence_beside_it_denies_is_not_stated(response: str, fact: Fact, said: str) -> None:
    assert decide_all(response.format(said), [fact])[0].label == "absent"


@pytest.mark.parametrize(
    "response",
    [
        "The claim is false: AB = 5.",
        "That is wrong: AB = 5.",
        "The statements above are false: AB = 5.",
        "The claim says 7, but AB = 5, so it is false.",
        "The claim that AB = 7 is wrong, because AB = 5.",
        "It is not true that AC = 7, but AB = 5.",
        "Since AB = 5, the statement is: false.",
        "Since AB = 5, the triangle inequality does not hold.",
        "AB = 5 and AC = 7, so the theorem of Pythagoras does not hold.",
        "Which of these is false: the first. AB = 5.",
        "The following points lie on the circle: AB = 5 is a chord.",
        "In the following figure, one label is wrong. AB = 5.",
        "From the following figure, AC = 7 is wrong: AB = 5.",
        "I am asked to find the false statement: AB = 5 is given.",
        "AC = 7. That is wrong. AB = 5.",
        "AB = 5. The answer is wrong.",
        "AB = 5. That is false for AC.",
        "AB = 5. That is right.",
        "AB = 5. No, that is false. Let me look again. It is so: AB = 5.",
        "These sides are not valid for a right triangle: AB = 5.",
        "In the figure below it is not so clear at first: AB = 5.",
        "Below is the wrong-answer analysis: AB = 5.",
    ],
)
def test_what_stands_beside_a_denial_is_still_stated(response: str) -> None:
    assert decide_all(response, [LENGTH])[0].label == "stated"


def test_the_denied_part_is_told() -> None:
    sentence = "As I said, the claim that AB = 5 does not hold here."
    assert sentence[slice(*denied(sentence))] == "AB = 5"
    assert denied("AB is not 5.") == (0, 0)


def test_a_list_may_be_headed_in_fewer_words() -> None:
    assert heads("None of the following holds")
    assert not heads("Wrong")
    assert heads_list("Wrong")
    assert not heads_list("My first reading was wrong")
    assert announces("None of the following holds.")
    assert not announces("None of this is shown.")
    assert takes_back("Wait, no, that is not correct.")
    assert not takes_back("The claim that AB = 5 is not correct.")


@given(st.text(alphabet="the claim that is false:;.,'\"() AB=5", max_size=120))
def test_any_sentence_can_be_read(sentence: str) -> None:
    start, end = denied(sentence)
    assert 0 <= start <= end <= len(sentence)


@pytest.mark.parametrize(
    "unit",
    ["the claim that ", "the opposite of the claim ", "these: ", ": ", '" ', "' a", "it is false that ", "(not so) "],
)
def test_hostile_repetition_costs_little(unit: str) -> None:
    sentences = [(unit * 1000)[:1000] + end for end in ("", "false", ":")]
    began = time.process_time()
    found = [read(sentence) for read in (denied, heads_list, announces, takes_back) for sentence in sentences]
    assert time.process_time() - began < 1.0
    assert len(found) == 12

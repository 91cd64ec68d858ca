"""Claims are found in three turns or in one, and what rests on nothing seen is not taken for seeing."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from perception_reward.annotations.pipeline.asks import Answer, Ask, Sampling
from perception_reward.annotations.pipeline.checking import is_quoted
from perception_reward.annotations.pipeline.endpoint import Reply
from perception_reward.annotations.pipeline.engine import answer_of, estimate
from perception_reward.annotations.pipeline.extraction import PROMPTS, Extracting, Found, Method, sentences_of
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.rows import Trajectory

RESPONSE = (
    "<think>In the figure AB = 5. It is red. The angles add up to 180 degrees. So x = 7.</think><answer>7</answer>"
)
TRAJECTORY = Trajectory(id="a", question="Find x.", response=RESPONSE)


def extracting(method: Method) -> Extracting:
    return Extracting(method, {name: Prompt.read(name) for name in PROMPTS[method]}, Sampling("m"), "2026-01-02")


def driven(method: Method, replies: Sequence[str], trajectory: Trajectory = TRAJECTORY) -> tuple[Found, list[Ask]]:
    """Run the step with `replies`, one to each ask."""
    steps, left, asked = extracting(method).step(trajectory), list(replies), list[Ask]()
    asks = next(steps)
    while True:
        asked += asks
        answers = [answer_of(Reply(left.pop(0)), ask)[0] for ask in asks]
        try:
            asks = steps.send(answers)
        except StopIteration as end:
            return end.value, asked


def test_three_turns_select_make_stand_alone_and_cut() -> None:
    found, asked = driven(
        "three",
        [
            '{"sentences":[{"number":1,"origin":"seen"},{"number":2,"origin":"seen"},{"number":3,"origin":"derived"},'
            '{"number":99,"origin":"seen"}]}',
            '{"sentences":[{"number":1,"text":"Segment AB is 5."},{"number":2,"text":"Segment AB is red."}]}',
            '{"facts":[{"number":1,"statement":"Segment AB has length 5.","kind":"length","elements":["AB"],'
            '"origin":"seen"},{"number":2,"statement":"Segment AB is red.","kind":"Colour","elements":["AB"],'
            '"origin":"seen"},{"number":3,"statement":"Invented.","kind":"x","elements":[],"origin":"seen"}]}',
        ],
    )
    assert [(one.statement, one.kind, one.quote, one.origin) for one in found.claims] == [
        ("Segment AB has length 5.", "length", "In the figure AB = 5.", "seen"),
        ("Segment AB is red.", "colour", "It is red.", "seen"),
    ]
    assert "1. In the figure AB = 5." in asked[0].text
    assert "2. It is red." in asked[1].text
    assert "3." not in asked[1].text.split("Sentences to rewrite:")[1].split("Reply")[0]
    assert RESPONSE in asked[1].text


def test_nothing_seen_asks_no_more() -> None:
    found, asked = driven("three", ['{"sentences":[{"number":1,"origin":"none"}]}'])
    assert (found, len(asked)) == (Found(), 1)


def test_one_turn_quotes_and_the_tag_is_not_believed_against_the_words() -> None:
    trajectory = TRAJECTORY.model_copy(update={"question": "AB = 5. Find x."})
    found, _ = driven(
        "one",
        [
            '{"facts":[{"statement":"Segment AB has length 5.","kind":"length","elements":["AB"],"quote":"AB = 5",'
            '"origin":"seen"},{"statement":"The angles of a triangle add up to 180 degrees.","kind":"angle",'
            '"elements":[],"quote":"The angles add up to 180 degrees","origin":"seen"},'
            '{"statement":"Segment AB is red.","kind":"colour","elements":["AB"],"quote":"It is red","origin":"seen"}]}'
        ],
        trajectory,
    )
    assert [one.origin for one in found.claims] == ["given", "derived", "seen"]


def test_a_model_that_copies_the_examples_of_the_prompts_claims_nothing() -> None:
    (direct,) = re.findall(r'(\{"facts": .*\]\})', Prompt.read("direct").text)
    copied = driven("one", [direct])[0].claims
    assert len(copied) == 3
    assert not any(is_quoted(claim.quote, RESPONSE) for claim in copied)
    (cut,) = re.findall(r'(\{"facts": .*\]\})', Prompt.read("cut").text)
    chosen = '{"sentences":[{"number":1,"origin":"seen"}]}', '{"sentences":[{"number":1,"text":"Segment AB is 5."}]}'
    assert driven("three", [*chosen, cut.replace(", ...", "")])[0] == Found()


def test_a_model_that_refuses_gives_a_reason() -> None:
    steps = extracting("one").step(TRAJECTORY)
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send([Answer(why="the model refused", detail="no")])
    assert end.value.value == Found(why="the model refused", detail="no")


def test_long_responses_are_asked_in_parts_whose_numbers_go_on() -> None:
    long = TRAJECTORY.model_copy(update={"response": " ".join(f"Bar {n} has height {n}." for n in range(1, 101))})
    steps = extracting("three").step(long)
    asks = next(steps)
    numbers = [re.findall(r"^(\d+)\. Bar", ask.text, re.MULTILINE) for ask in asks]
    assert [(part[0], part[-1]) for part in numbers] == [("1", "40"), ("41", "80"), ("81", "100")]


def test_a_response_cannot_fill_in_what_the_prompt_asks_for() -> None:
    sly = TRAJECTORY.model_copy(
        update={"response": "AB = {question} is {answer} here.", "question": "Find {sentences}."}
    )
    asks = next(extracting("three").step(sly))
    assert "1. AB = {question} is {answer} here." in asks[0].text
    assert "Find {sentences}." in asks[0].text


def test_sentences_are_the_response_s_own_words_without_tags_and_questions() -> None:
    found = sentences_of("<think>Look: $\\overline{AB}$ = 5. What is x?\n- BC is **7**.</think>")
    assert found[0] == "Look: $\\overline{AB}$ = 5."
    assert any("BC is **7**" in one for one in found)


def test_an_estimate_goes_through_all_turns() -> None:
    found = estimate([TRAJECTORY], extracting("three").step, Sampling("m"), None)
    assert found.requests == 3

from __future__ import annotations

import random
import re

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.attacks.filling import LISTED, Filling
from perception_reward.service.audit.subjects import subjects_of
from perception_reward.trainer_client.wire import Fact

LENGTH = Fact(id="f1", text="Segment AB has length 55.", kind="length")
RELATION = Fact(id="f1", text="AB is parallel to CD.", kind="parallel")
DOGS = Fact(id="f1", text="There are two dogs.", kind="count")


def filling(fact: Fact, seed: int = 1) -> Filling:
    return Filling(next(iter(subjects_of([Annotation(id="p", facts=[fact])]))), random.Random(seed))


@pytest.mark.parametrize("seed", range(10))
def test_one_text_speaks_of_one_statement(seed: int):
    filled = filling(LENGTH, seed).fill("{statement};{statement};{other};{another};{fact};{n}")
    assert filled is not None
    one, again, other, another, fact, number = filled.split(";")
    assert one == again
    assert "55" in one
    assert len({one, other, another}) == 3
    assert "55" not in re.sub(r"\W", " ", other).split()
    assert (fact, number) == (LENGTH.text, "1")


ASKED = {"question": "AB=4y-10. Find y.", "answer": "B", "choices": ["5", "7"]}


def test_what_the_problem_s_text_holds_can_be_filled_in():
    subject = next(iter(subjects_of([Annotation.model_validate({"id": "p", "facts": [LENGTH], **ASKED})])))
    filled = Filling(subject, random.Random(1)).fill("{question}|{options}|{inline}|{filled}|{guess}|{guess}")
    assert filled is not None
    *copied, guess, again = filled.split("|")
    assert copied == [
        "AB=4y-10. Find y.",
        "A. 5\nB. 7",
        "(A) 5 (B) 7",
        "AB=4y-10. Find y. Segment AB has length 18. y = 7. So the answer is B. 7.",
    ]
    assert guess == again
    assert guess in ("5", "7")


@pytest.mark.parametrize("text", ["{question}", "{options}", "{inline}", "{filled}"])
def test_a_problem_without_a_text_has_nothing_to_copy(text: str):
    assert filling(LENGTH).fill(text) is None


def test_without_options_a_number_is_guessed():
    guess = filling(LENGTH).fill("{guess}")
    assert guess is not None
    assert guess.isdecimal()


def test_a_listing_holds_the_right_value_among_many():
    filled = filling(LENGTH).fill("{listing}")
    assert filled is not None
    assert len(re.findall(r"\b55\b", filled)) == 1
    assert filled.count("AB") + filled.count("BA") >= 10
    assert len(re.findall(r"\d+", filled)) <= LISTED


@pytest.mark.parametrize("text", ["{other}", "{another}", "{listing}", "{misplaced}"])
def test_a_relation_has_no_values_to_fill_in(text: str):
    assert filling(RELATION).fill(text) is None


def test_a_relation_and_a_plain_fact_have_an_opposite():
    assert filling(RELATION).fill("{opposite}")
    assert filling(DOGS).fill("{opposite} {other}")


def test_braces_that_are_no_placeholder_stay():
    assert filling(LENGTH).fill('{"fact": {n}} {response}') == '{"fact": 1} {response}'


def test_what_a_fact_holds_is_not_filled_again():
    tricky = Fact(id="f1", text="The sign says {n}.", kind="text")
    assert filling(tricky).fill("{fact}") == "The sign says {n}."

from __future__ import annotations

from typing import Any

import pytest

from perception_reward.annotations.copies import copies_of
from perception_reward.annotations.model import Annotation


def copies(question: str | None, **known: Any):
    return copies_of(Annotation.model_validate({"id": "a", "question": question, **known}))


def test_a_question_is_copied_as_it_stands_with_its_options_and_with_its_numbers_filled_in() -> None:
    found = copies("AB=4y-10, BC=y. Find y.", answer="B", choices=["5", "7"])
    assert found is not None
    assert found.question == "AB=4y-10, BC=y. Find y."
    assert found.options == ("AB=4y-10, BC=y. Find y.\nA. 5\nB. 7", "AB=4y-10, BC=y. Find y. (A) 5 (B) 7")
    assert found.filled == (
        "AB=4y-10, BC=y. Find y. Segment AB has length 18. Segment BC has length 7. y = 7. So the answer is B. 7."
    )
    assert found.beside_the_question == (*found.options, found.filled)


@pytest.mark.parametrize("blank", ["__", "_____", "( )", "（　）"])
def test_a_blank_is_filled_in_too(blank: str) -> None:
    found = copies(f"There are {blank} dogs.", answer=3)
    assert found is not None
    assert found.filled == "There are 3 dogs. So the answer is 3."


def test_of_several_answers_the_first_is_filled_in() -> None:
    found = copies("What is it?", answer=["a dog", "dog"])
    assert found is not None
    assert found.filled == "What is it? So the answer is a dog."


def test_without_options_or_an_answer_there_are_no_such_copies() -> None:
    found = copies(" Find x. ")
    assert found is not None
    assert (found.question, found.options, found.filled) == ("Find x.", (), None)
    assert found.beside_the_question == ()


@pytest.mark.parametrize("question", [None, "", " \n"])
def test_without_a_question_there_is_nothing_to_copy(question: str | None) -> None:
    assert copies(question, answer="5", choices=["5", "6"]) is None

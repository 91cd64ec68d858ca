from __future__ import annotations

import pytest

from perception_reward.service.rewards.options import chosen, named_letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("A", "A"), ("(b)", "B"), ("C. 5 cm", "C"), ("D) five", "D"), ("Option A", "A"), ("the answer is (B)", "B"),
        (r"\text{(C)}", "C"), ("[A]", "A"), ("A (5 cm)", "A"), ("A, yes", "A"), ("(A) AB is longest", "A"),
    ],
)  # fmt: skip
def test_a_letter_is_read(text: str, letter: str) -> None:
    named = named_letter(text)
    assert named is not None
    assert named[0] == letter


@pytest.mark.parametrize(
    "text", ["", "AB", "5", "A or B", "(A) or (B)", "(A)(B)", "A, B", "A. 5 or B. 6", "A/B", "A B"]
)
def test_several_letters_or_none_name_nothing(text: str) -> None:
    assert named_letter(text) is None


def test_a_letter_with_another_options_text_chooses_nothing() -> None:
    def same(one: str, other: str) -> bool:
        return one == other

    assert chosen("B. 7", ("5", "6", "7"), same) is None
    assert chosen("B. 6", ("5", "6", "7"), same) == 1
    assert chosen("7", ("5", "6", "7"), same) == 2
    assert chosen("E", ("5", "6", "7"), same) is None

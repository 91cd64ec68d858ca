from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.characters import LATEX_OF, in_ascii
from perception_reward.annotations.language.notation import normalise


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("½ × 3²", r" 1/2 \times  3^{2}"), ("√(x+1)", r"\sqrt{x+1}"), ("x₁₂", "x_{12}"), ("１／２", "1/2"),
        ("90°", r"90^\circ"), ("a\u200bb", "ab"), ("plain", "plain"), ("红", "红"),
    ],
)  # fmt: skip
def test_characters_of_print_are_latex(text: str, latex: str) -> None:
    assert in_ascii(text) == latex


@pytest.mark.parametrize(("one", "other"), [("AB ⩽ 5", "AB ≤ 5"), ("2 ✕ 3", "2 * 3"), ("5 ㎡", "5 m^2"), ("θ", "θ")])
def test_prose_knows_the_same_characters(one: str, other: str) -> None:
    assert normalise(one).text == other


def test_no_command_is_left_in_prose() -> None:
    assert not [character for character in LATEX_OF if "\\" in normalise(character).text]


@given(st.text(max_size=60))
def test_any_text_is_survived(text: str) -> None:
    assert in_ascii(in_ascii(text)).isascii() == in_ascii(text).isascii()

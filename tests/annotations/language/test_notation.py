"""LaTeX, Unicode and Markdown become one notation, and every place leads back to the original."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.notation import MAX_CHARS, normalise


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"$\overline{AB} = 2\sqrt{3}$", "AB = 2sqrt(3)"),
        (r"m\angle ABC = 50^\circ", "m∠ ABC = 50°"),
        (r"50^{\circ}", "50°"),
        (r"\frac{13}{2}x", "((13)/(2))x"),
        (r"\frac{\sqrt{2}}{3}", "((sqrt(2))/(3))"),
        (r"\dfrac12", "(1/2)"),
        ("2√3 and √(5)", "2sqrt(3) and sqrt(5)"),
        ("AB ⊥ CD, AB ∥ CD", "AB ⟂ CD, AB ∥ CD"),
        ("3x − 4", "3x - 4"),
        ("**AB** is `5`", "AB is 5"),
        (r"\overset{\frown}{AB}", "arc AB"),
        (r"\boxed{\frac{20}{3}}", "((20)/(3))"),
        ("A\u200bB", "AB"),
        ("x²", "x^2"),
    ],
)
def test_notations_become_one(text: str, plain: str) -> None:
    assert normalise(text).text == plain


@given(st.text(max_size=200))
def test_any_place_leads_back_into_the_original(text: str) -> None:
    plain = normalise(text)
    for start in range(len(plain.text)):
        first, last = plain.source(start, start + 1)
        assert 0 <= first < last <= len(text)


@given(st.text(alphabet=r"\{}$^_fracsqtodboxe 12AB√∠°", max_size=120))
def test_broken_latex_never_raises(text: str) -> None:
    normalise(text)


def test_plain_text_stays_and_maps_to_itself() -> None:
    text = "Segment AB is 5 cm long."
    plain = normalise(text)
    assert plain.text == text
    assert plain.source(8, 10) == (8, 10)


def test_what_lies_behind_the_cap_is_not_read() -> None:
    assert len(normalise("a" * (MAX_CHARS + 10)).text) == MAX_CHARS

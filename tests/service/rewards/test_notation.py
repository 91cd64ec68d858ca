from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.notation import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$5$", "5"), (r"\(5\)", "5"), (r"$\boxed{\text{(A)}}$", "(A)"), ("**5**", "5"), ("5.", "5"), ("−5", "-5"),
        ("½", "1/2"), ("x²", "x^{2}"), ("√2", r"\sqrt{2}"), ("71°", r"71^\circ"), (r"71^{\circ}", r"71^\circ"),
        (r"\dfrac{1}{2}", r"\frac{1}{2}"), (r"\left(1,\,2\right)", "(1, 2 )"), ("5</s>", "5"), ("\u200b5\u202e", "5"),
        (r"\{1,2\}", r"\{1,2\}"), ("", ""),
    ],
)  # fmt: skip
def test_wrappers_and_look_alikes_are_gone(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_survived(text: str) -> None:
    plain(text)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.answers.notation import plain, squeezed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$5$", "5"), (r"\(5\)", "5"), (r"$\boxed{\text{(A)}}$", "(A)"), ("**5**", "5"), ("5.", "5"), ("−5", "-5"),
        ("½", "1/2"), ("x²", "x^{2}"), ("√2", r"\sqrt{2}"), ("71°", r"71^\circ"), (r"71^{\circ}", r"71^\circ"),
        (r"\dfrac{1}{2}", r"\frac{1}{2}"), (r"\left(1,\,2\right)", "(1, 2 )"), ("5</s>", "5"), ("\u200b5\u202e", "5"),
        (r"\{1,2\}", r"\{1,2\}"), ("{1,2}", "{1,2}"), ("", ""), (r"10,\!080", "10080"), (r"58{,}500", "58500"),
        ("１２．５", "12.5"), ("（Ｂ）", "(B)"), ("x＝5", "x=5"), (r"\color{red}{5}", "5"), (r"\Large{5}", "5"),
        (r"5\ \checkmark", "5"), ("```\n5\n```", "5"), ("The answer is **D**.", "The answer is D"),
        ("x**2+y**2", "x**2+y**2"), ("The answer is $D$.", "The answer is D"), ("$5 and $10", "$5 and $10"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"), (r"5\\", "5"), ("5!", "5!"),
        (r"\mathbf{\frac12}", r"\frac12"), ("<b>5</b>", "5"), ("0.333…", r"0.333\ldots"), ("x != 2", r"x \ne 2"),
        ("5! != 12", r"5! \ne 12"), ("5!=120", "5! =120"), (r"\text{ and }", "and"),
    ],
)  # fmt: skip
def test_what_only_dresses_is_gone_and_what_means_something_stays(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("x + 1", "x+1"), ("1 1/2", "1 1/2"), ("( 1, 2 )", "(1,2)")])
def test_spaces_go_where_they_separate_nothing(text: str, expected: str) -> None:
    assert squeezed(text) == expected


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_survived(text: str) -> None:
    plain(text)

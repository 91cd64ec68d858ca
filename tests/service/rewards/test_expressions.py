from __future__ import annotations

import pytest

from perception_reward.service.rewards.expressions import is_prose, is_tame, same_expression


@pytest.mark.parametrize(
    ("answer", "reference"), [(r"3\sqrt{2}", "3*sqrt(2)"), ("x^2+2x+1", "(x+1)^2"), (r"\frac{\pi}{2}", "pi/2")]
)
def test_equal_expressions_are_the_same(answer: str, reference: str) -> None:
    assert same_expression(answer, reference)


@pytest.mark.parametrize("text", ["9^{9^{9^9}}", "1000000000!", "{" * 60, "1" * 100, "2^{99999}", "x" * 500, "3!!"])
def test_what_nobody_could_write_down_is_never_evaluated(text: str) -> None:
    assert not is_tame(text)
    assert not same_expression(text, "5")


def test_words_are_no_products_of_variables() -> None:
    assert is_prose("yes")
    assert is_prose("no")
    assert not is_prose(r"\sqrt{2}+\sin x")
    assert not same_expression("yes", "sey")

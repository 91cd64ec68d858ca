from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.formulas import read_expression, read_formula
from perception_reward.annotations.language.nodes import symbols_of
from perception_reward.service.rewards.answers.evaluation import exact


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"\frac12", "1/2"), (r"\frac1{2}", "1/2"), (r"3 \over 4", "3/4"), ("2^10", "1024"), ("2^{-1}", "1/2"),
        (r"2\frac{1}{2}", "5/2"), ("1 1/2", "3/2"), ("3 4/5", "19/5"), (r"4 \cdot 3!", "24"), ("-3^2", "-9"),
        ("2^3^2", "512"), ("|-3|", "3"), (r"\sqrt{16}", "4"), (r"\sqrt4", "2"), ("2(3+4)", "14"), ("(2)(3)", "6"),
        ("10/2/5", "1"), ("14 + -1", "13"), ("50%", "1/2"), (r"\lfloor 2.5 \rfloor", "2"), (r"\max(1,2,3)", "3"),
        ("2**3", "8"), ("1/2*4", "2"),
    ],
)  # fmt: skip
def test_formulas_are_read_as_they_are_written(text: str, value: str) -> None:
    node = read_formula(text)
    assert node is not None
    assert exact(node) == Fraction(value)


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("2ab", {"a", "b"}), ("5xy", {"x", "y"}), ("x_1 + x_{12}", {"x_1", "x_12"}), (r"\pi r^2", {"r"}),
        ("5pi", set[str]()),
        (r"\sin x", {"x"}), ("sin(x)", {"x"}), (r"\alpha + 1", {"alpha"}), ("e^x", {"x"}), (r"\mathrm{e}", set[str]()),
        (r"\log_2 x", {"x"}), (r"\angle ABC", {"ABC"}), ("2abc", {"a", "b", "c"}),
    ],
)  # fmt: skip
def test_unknowns_are_told_from_constants_and_functions(text: str, symbols: set[str]) -> None:
    node = read_formula(text)
    assert node is not None
    assert symbols_of(node) == symbols


@pytest.mark.parametrize(
    "text",
    [
        "", "yes", "abc", "AB", "2 3", "x 2", "5 apples", "(1,2)", "1,", "(", ")", "5!!", r"\frac{1}", "^2", "x^", "is",
        r"\sum_{k=1}^9 k", r"\text{red}", "2 +", "红色", "5 or 6", "|", r"\unknown", "2516_8", "{" * 60, "(" * 2000,
        "1+" * 400 + "1", "9" * 200, "!" * 60, r"\sin" * 60,
    ],
)  # fmt: skip
def test_what_is_no_formula_is_none(text: str) -> None:
    assert read_formula(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("3√4", "6"), ("2²·3", "12"), ("1,234.5", "2469/2"), ("1,234,000", "1234000"), ("5−2", "3"), ("2sqrt(9)", "6")],
)
def test_expressions_may_have_signs_of_print(text: str, value: str) -> None:
    node = read_expression(text)
    assert node is not None
    assert exact(node) == Fraction(value)


@pytest.mark.parametrize("piece", ["(", "2^", "-", "sqrt(", "((1)/(", "x/", "\\frac{", "9,", "1 2/3", "1,234", "√²"])
def test_hostile_text_is_refused_at_once(piece: str) -> None:
    began = time.process_time()
    for length in (20, 119, 65_000):
        read_expression((piece * length)[:length])
        read_formula((piece * length)[:length])
    assert time.process_time() - began < 2


@given(st.text(alphabet="0123456789xyz+-*/^(){}[]|!_.,% \\fracsqtpi", max_size=80))
def test_any_text_is_survived(text: str) -> None:
    node = read_formula(text)
    if node is not None:
        exact(node)

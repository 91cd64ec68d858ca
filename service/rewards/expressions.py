r"""Whether two expressions are equal, by math-verify and sympy. Slow, and may hang: for worker processes only.

Never `sympify` or `parse_expr` on a response's text: they evaluate Python. LaTeX goes through a grammar.
"""

from __future__ import annotations

import importlib
import re
from functools import lru_cache
from typing import Any

from perception_reward.service.rewards.literals import Literal

DEEPEST_BRACES = 16
LONGEST = 400
LONGEST_NUMBER = 60
SAME_DIGITS = 10
"""Decimals in which a float and an exact value must agree to be equal: enough that nobody rounds to them by hand."""

_command = re.compile(r"\\[A-Za-z]+")
_word = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{3,}")
_function = re.compile(
    r"(?<![A-Za-z\\])(sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|sinh|cosh|tanh|log|ln|exp|pi|max|min|alpha|beta|"
    r"gamma|theta|infty|oo)(?![A-Za-z])"
)
_sqrt_call = re.compile(r"(?<![A-Za-z\\])sqrt\s?(?=[({])")
_root = re.compile(r"\\sqrt\s?\(([^()]{1,100})\)")
_bare_root = re.compile(r"\\sqrt\s?(\d)")
_text = re.compile(r"\\(?:text|mathrm|rm|mathbf)\s?\{([^{}]*)\}")
_digits = re.compile(rf"\d{{{LONGEST_NUMBER + 1},}}")
_power = re.compile(r"\^|\*\*")
_large_factorial = re.compile(r"(?:\d{4,}|[)}])\s?!|!\s?!")
_large_exponent = re.compile(r"(?:\^|\*\*)\s?[{(]?\s?-?\d{4,}")
_group_exponent = re.compile(r"(?:\^|\*\*)\s?[{(][^{}()]*(?:\^|\*\*)")
MOST_POWERS = 12


def is_tame(text: str) -> bool:
    """Short, shallow, and without the towers and factorials whose value nobody could write down."""
    if len(text) > LONGEST or _digits.search(text) or len(_power.findall(text)) > MOST_POWERS:
        return False
    if _large_factorial.search(text) or _large_exponent.search(text) or _group_exponent.search(text):
        return False
    depth = deepest = 0
    for char in text:
        depth += (char in "({[") - (char in ")}]")
        deepest = max(deepest, depth)
    return deepest <= DEEPEST_BRACES


def is_prose(text: str) -> bool:
    """Words, and not products of variables: an expression made of them would equal its anagrams."""
    bare = _function.sub(" ", _command.sub(" ", text.replace("sqrt", " ")))
    return _word.search(bare) is not None or (bare.isalpha() and len(bare) > 1)


def to_latex(text: str) -> str:
    r"""Sympy's way of writing (`3*sqrt(2)`, `14*pi`, `x**2`) as LaTeX; LaTeX stays as it is."""
    text = _sqrt_call.sub(r"\\sqrt", text.replace("**", "^"))
    text = _bare_root.sub(r"\\sqrt{\1}", _root.sub(r"\\sqrt{\1}", text))
    text = _function.sub(r"\\\1 ", text).replace("\\oo", "\\infty")
    return _text.sub(r" \1 ", text).replace("*", r"\cdot ").replace("\\angle", "").strip()


@lru_cache(maxsize=1)
def _math_verify() -> Any:
    """Untyped, and slow to import: only worker processes need it."""
    return importlib.import_module("math_verify")


@lru_cache(maxsize=1)
def _configuration() -> list[Any]:
    """LaTeX only, and units stay: what is a unit was taken off before."""
    rules = importlib.import_module("latex2sympy2_extended").NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none", equations=False
    )
    return [_math_verify().LatexExtractionConfig(boxed_match_priority=-1, normalization_config=rules)]


@lru_cache(maxsize=256)
def _parsed(latex: str) -> list[Any]:
    return _math_verify().parse(f"${latex}$", _configuration(), fallback_mode="no_fallback", parsing_timeout=None)


def same_expression(answer: str, reference: str) -> bool:
    """Equal as mathematics. Both in plain notation. False for prose, for what is not tame, and where parsing fails."""
    if any(not is_tame(text) or is_prose(text) for text in (answer, reference)):
        return False
    gold, given = _parsed(to_latex(reference)), _parsed(to_latex(answer))
    return bool(gold and given) and _math_verify().verify(
        gold, given, float_rounding=SAME_DIGITS, allow_set_relation_comp=True, timeout_seconds=None
    )


def rounds_to(answer: str, reference: Literal) -> bool:
    """Whether the expression's value, rounded to the reference's number of decimals, is the reference."""
    if not reference.places or not is_tame(answer) or is_prose(answer):
        return False
    for expression in _parsed(to_latex(answer)):
        try:
            value = float(expression.evalf(30))
        except (TypeError, ValueError, AttributeError, OverflowError):
            continue
        return abs(value - float(reference.value)) <= 0.5 * 10.0**-reference.places
    return False

r"""The quantities that label a diagram: `5`, `4y-10`, `3\sqrt{2}`, `\frac{1}{2}x+7`, `2*x**2-10`.

Read from LaTeX, sympy or plain notation; written as plain text with Unicode mathematics: `3√2`, `(1/2)x + 7`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from perception_reward.annotations.language.expressions import (
    Letter,
    Mixed,
    Node,
    Number,
    Power,
    Product,
    QuantityError,
    Ratio,
    Root,
    Sum,
    read,
)

__all__ = ["Quantity", "QuantityError", "read_quantity"]

_DEGREES = re.compile(r"(?:°|º|\^\s*\{?\s*\\circ\s*\}?|\\degree)\s*$")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
# Where letters are given values to compare expressions: of no expression in a diagram the roots.
_POINTS = (1.37, 2.81, 4.19)


@dataclass(frozen=True)
class Quantity:
    """A number or an expression in letters, as a diagram shows it."""

    node: Node

    def __str__(self) -> str:
        return _write(self.node)

    @property
    def is_compound(self) -> bool:
        """Whether it has several terms, so that a unit after it needs parentheses: `(4y - 10) degrees`."""
        return isinstance(self.node, Sum) and len(self.node.terms) > 1

    @property
    def is_letter(self) -> bool:
        return isinstance(self.node, Letter) and self.node.name != "π"

    @cached_property
    def is_number(self) -> bool:
        return not any(isinstance(node, Letter) and node.name != "π" for node in _walk(self.node))

    @cached_property
    def number(self) -> float | None:
        """Its value; None for an expression in letters, and for what has no finite value."""
        if not self.is_number:
            return None
        try:
            return _evaluate(self.node, 0.0)
        except (ArithmeticError, ValueError):
            return None

    def constant_gap(self, other: Quantity) -> float | None:
        """`other` less this, where that is the same whatever the letters stand for: 2 of `x + 1` and `x + 3`."""
        try:
            gaps = [_evaluate(other.node, point) - _evaluate(self.node, point) for point in _POINTS]
        except (ArithmeticError, ValueError):
            return None
        return gaps[0] if max(gaps) - min(gaps) < 1e-6 else None

    def at(self, values: Mapping[str, Quantity]) -> Quantity | None:
        """Its number where the letters have these values, to six digits; None where a letter has none."""
        number = Quantity(_with(self.node, {letter: value.node for letter, value in values.items()})).number
        text = "" if number is None else f"{number:.6g}"
        return None if "e" in text or not text else read_quantity(text)

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Equal for equal quantities (`3+x`, `x + 3`), up to nine digits, by their values at two points."""
        try:
            return tuple(f"{_evaluate(self.node, point):.9g}" for point in _POINTS[:2])
        except (ArithmeticError, ValueError):
            return (str(self),)


def read_quantity(text: str) -> Quantity:
    """The quantity that `text` writes; a degree sign at its end is dropped. Raises `QuantityError`."""
    return Quantity(read(_DEGREES.sub("", text)))


def _write(node: Node) -> str:
    match node:
        case Number(digits):
            return digits
        case Letter(name):
            return name
        case Root(radicand):
            return "√" + _grouped(radicand, Number | Letter)
        case Ratio(over, under):
            above = _grouped(over, Number | Letter | Root | Product)
            return f"{above}/{_grouped(under, Number | Letter | Root)}"
        case Power(base, exponent):
            return _grouped(base, Number | Letter) + _write(exponent).translate(_SUPERSCRIPTS)
        case Mixed(whole, part):
            return f"{whole.digits} {_write(part)}"
        case Product(factors):
            return _write_product(factors)
        case Sum(terms):
            (negative, first), *rest = terms
            parts = ["-" + _write(first) if negative else _write(first)]
            parts += [f" {'-' if minus else '+'} {_write(term)}" for minus, term in rest]
            return "".join(parts)


def _write_product(factors: tuple[Node, ...]) -> str:
    written = _grouped(factors[0], Number | Letter | Root | Power)
    for factor in factors[1:]:
        text = _grouped(factor, Number | Letter | Root | Power)
        written += f"·{text}" if text[0].isdecimal() else text
    return written


def _grouped(node: Node, bare: object) -> str:
    return _write(node) if isinstance(node, bare) else f"({_write(node)})"  # pyright: ignore[reportArgumentType]


def _walk(node: Node) -> list[Node]:
    match node:
        case Root(inner) | Power(inner, _):
            children: tuple[Node, ...] = (inner,)
        case Ratio(over, under):
            children = (over, under)
        case Mixed(whole, part):
            children = (whole, part)
        case Product(factors):
            children = factors
        case Sum(terms):
            children = tuple(term for _, term in terms)
        case _:
            children = ()
    return [node, *(below for child in children for below in _walk(child))]


def _with(node: Node, values: Mapping[str, Node]) -> Node:
    """The node with what `values` has in the place of its letters."""
    match node:
        case Letter(name):
            return values.get(name, node)
        case Root(radicand):
            return Root(_with(radicand, values))
        case Ratio(over, under):
            return Ratio(_with(over, values), _with(under, values))
        case Power(base, exponent):
            return Power(_with(base, values), exponent)
        case Product(factors):
            return Product(tuple(_with(factor, values) for factor in factors))
        case Sum(terms):
            return Sum(tuple((minus, _with(term, values)) for minus, term in terms))
        case _:
            return node


def _evaluate(node: Node, point: float) -> float:
    match node:
        case Number(digits):
            return float(digits)
        case Letter(name):
            return math.pi if name == "π" else point + 0.01 * ord(name)
        case Root(radicand):
            return math.sqrt(_evaluate(radicand, point))
        case Ratio(over, under):
            return _evaluate(over, point) / _evaluate(under, point)
        case Power(base, exponent):
            return _evaluate(base, point) ** _evaluate(exponent, point)
        case Mixed(whole, part):
            return float(whole.digits) + _evaluate(part, point)
        case Product(factors):
            return math.prod(_evaluate(factor, point) for factor in factors)
        case Sum(terms):
            return math.fsum((-1 if minus else 1) * _evaluate(term, point) for minus, term in terms)

r"""The quantities that label a diagram: `5`, `4y-10`, `3\sqrt{2}`, `\frac{1}{2}x+7`, `2*x**2-10`.

Read from LaTeX, sympy or plain notation; written as plain text with Unicode mathematics: `3√2`, `(1/2)x + 7`.

    sum      := [sign] product (sign product)*
    product  := power (['*' | '/'] power)*
    power    := base [('^' | '**') exponent]
    base     := number | letter | 'pi' | '(' sum ')' | sqrt group | '\frac' group group

A number never follows a letter without a sign between them, nor a letter a letter: `5mny44` is a misread
label, not a quantity.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

MAX_CHARACTERS = 120
MAX_DEPTH = 8
MAX_EXPONENT = 9

_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+|\\?sqrt|\\d?frac|\\?pi|π|√|\*\*|[a-zA-Z]|[-+*/^(){}·×−])")
_DEGREES = re.compile(r"(?:°|º|\^\s*\{?\s*\\circ\s*\}?|\\degree)\s*$")
_SPELLING = {
    "·": "*",
    "×": "*",
    "−": "-",
    "\\sqrt": "sqrt",
    "√": "sqrt",
    "\\pi": "π",
    "pi": "π",
    "\\dfrac": "\\frac",
}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_FROM_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_MIXED = re.compile(r"(?<![\d.])(\d+) (\d+)/(\d+)")
# Where letters are given values to compare expressions: of no expression in a diagram the roots.
_POINTS = (1.37, 2.81, 4.19)


class QuantityError(ValueError):
    """The text is no quantity; the message says why."""


@dataclass(frozen=True, slots=True)
class Number:
    digits: str


@dataclass(frozen=True, slots=True)
class Letter:
    name: str


@dataclass(frozen=True, slots=True)
class Root:
    radicand: Node


@dataclass(frozen=True, slots=True)
class Ratio:
    over: Node
    under: Node


@dataclass(frozen=True, slots=True)
class Power:
    base: Node
    exponent: int


@dataclass(frozen=True, slots=True)
class Mixed:
    """A mixed number, `5 3/4`."""

    whole: Number
    part: Ratio


@dataclass(frozen=True, slots=True)
class Product:
    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """Signed terms: (negative, term)."""

    terms: tuple[tuple[bool, Node], ...]


Node: TypeAlias = Number | Letter | Root | Ratio | Power | Mixed | Product | Sum


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
    if len(text) > MAX_CHARACTERS:
        raise QuantityError(f"is longer than {MAX_CHARACTERS} characters")
    reader = _Reader(_tokens(_DEGREES.sub("", text)))
    node = reader.sum(0)
    if reader.peek() is not None:
        raise QuantityError(f"has {reader.peek()!r} where it should end")
    return Quantity(node)


def read_written(text: str) -> Quantity:
    """The quantity that `str` of one wrote, with raised digits and mixed numbers. Raises `QuantityError`."""
    text = _RAISED.sub(lambda match: "^" + match[0].translate(_FROM_SUPERSCRIPTS), text[: MAX_CHARACTERS + 1])
    return read_quantity(_MIXED.sub(r"\1\\frac{\2}{\3}", text))


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise QuantityError(f"has an unexpected {text[at:].lstrip()[0]!r}")
        tokens.append(_SPELLING.get(match[1], match[1]))
        at = match.end()
    return tokens


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self) -> str:
        token = self.peek()
        if token is None:
            raise QuantityError("ends too early")
        self._at += 1
        return token

    def expect(self, token: str) -> None:
        if self.peek() != token:
            raise QuantityError(f"lacks a {token!r}")
        self._at += 1

    def sum(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise QuantityError(f"is nested deeper than {MAX_DEPTH}")
        negative = self.peek() == "-"
        if self.peek() in ("-", "+"):
            self.take()
        terms = [(negative, self.product(depth))]
        while self.peek() in ("-", "+"):
            terms.append((self.take() == "-", self.product(depth)))
        return terms[0][1] if terms == [(False, terms[0][1])] else Sum(tuple(terms))

    def product(self, depth: int) -> Node:
        factors = [self.power(depth)]
        while (token := self.peek()) is not None and token not in "+-)}":
            if token == "/":
                self.take()
                factors[-1] = Ratio(factors[-1], self.power(depth))
            elif token == "*":
                self.take()
                factors.append(self.power(depth))
            else:
                self._join(factors, self.power(depth))
        return factors[0] if len(factors) == 1 else Product(tuple(factors))

    @staticmethod
    def _join(factors: list[Node], following: Node) -> None:
        """Put `following` beside the last factor, with no sign between them."""
        last = factors[-1]
        base = following.base if isinstance(following, Power) else following
        if isinstance(base, Number):
            raise QuantityError(f"has the number {base.digits} straight after another factor")
        if isinstance(base, Letter) and base.name != "π" and isinstance(last, Letter | Power):
            raise QuantityError(f"has the letter {base.name!r} straight after another letter")
        if isinstance(last, Number) and isinstance(following, Ratio) and isinstance(following.over, Number):
            factors[-1] = Mixed(last, following)
        else:
            factors.append(following)

    def power(self, depth: int) -> Node:
        base = self.base(depth)
        if self.peek() not in ("^", "**"):
            return base
        self.take()
        closing = {"{": "}", "(": ")"}.get(self.peek() or "")
        if closing:
            self.take()
        exponent = self.take()
        if not exponent.isdecimal() or int(exponent) > MAX_EXPONENT:
            raise QuantityError(f"has the exponent {exponent!r}; only whole numbers up to {MAX_EXPONENT} are read")
        if closing:
            self.expect(closing)
        return Power(base, int(exponent))

    def base(self, depth: int) -> Node:
        token = self.take()
        if token[0].isdecimal() or token[0] == ".":
            return Number(token if token[0] != "." else f"0{token}")
        if token == "sqrt":
            return Root(self.group(depth))
        if token == "\\frac":
            return Ratio(self.group(depth), self.group(depth))
        if token == "(":
            return self.inside(")", depth)
        if token.isalpha():
            return Letter(token)
        raise QuantityError(f"has an unexpected {token!r}")

    def group(self, depth: int) -> Node:
        opening = self.take()
        if opening in "{(":
            return self.inside("}" if opening == "{" else ")", depth)
        if opening[0].isdecimal():
            return Number(opening)
        if opening.isalpha() and opening != "sqrt":
            return Letter(opening)
        raise QuantityError(f"has an unexpected {opening!r}")

    def inside(self, closing: str, depth: int) -> Node:
        node = self.sum(depth + 1)
        self.expect(closing)
        return node


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
            return _grouped(base, Number | Letter) + str(exponent).translate(_SUPERSCRIPTS)
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
            return _evaluate(base, point) ** exponent
        case Mixed(whole, part):
            return float(whole.digits) + _evaluate(part, point)
        case Product(factors):
            return math.prod(_evaluate(factor, point) for factor in factors)
        case Sum(terms):
            return math.fsum((-1 if minus else 1) * _evaluate(term, point) for minus, term in terms)

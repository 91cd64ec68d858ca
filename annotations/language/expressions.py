r"""Numbers and terms in letters as trees: `5`, `4y-10`, `3\sqrt{2}`, `\frac{1}{2}x+7`, `2*x**2-10`, `5 3/4`.

    read("4y-10")                   # a sum of 4y and, negative, 10
    read("2x3", strict=False)       # what a label never is, and a sentence may mean by a product

Read from LaTeX, sympy or plain notation:

    sum      := [sign] product (sign product)*
    product  := power (['*' | '/'] power)*
    power    := base [('^' | '**') exponent]
    base     := number | letter | 'pi' | '(' sum ')' | sqrt group | '\frac' group group

In a label of a figure a number never follows a letter without a sign between them, nor a letter a letter: `5mny44` is a
misread one. In a sentence whatever stands together is a product, a sign may stand before any factor, and an exponent
may be any constant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

MAX_CHARACTERS = 120
MAX_DEPTH = 12
MAX_EXPONENT = 9
"""Of a label."""

_TOKEN = re.compile(
    r"\s*(\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+|\\?sqrt|\\d?frac|\\?pi|π|√|\*\*|[a-zA-Zθαβγφ]"
    r"|[-+*/^(){}·×−])"
)
_SPELLING = {
    "·": "*", "×": "*", "−": "-", "\\sqrt": "sqrt", "√": "sqrt", "\\pi": "π", "pi": "π", "\\dfrac": "\\frac", "**": "^",
}  # fmt: skip
_FROM_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_MIXED = re.compile(r"(?<![\d.,])(\d+) (\d+)/(\d+)(?![\d.])")


class QuantityError(ValueError):
    """The text is no quantity; the message says why."""


@dataclass(frozen=True, slots=True)
class Number:
    """digits: with a digit before a decimal point, and without commas."""

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
    exponent: Node


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


def read(text: str, *, strict: bool = True) -> Node:
    """The tree that the whole text writes. strict: whether it is a label. Raises `QuantityError`."""
    if len(text) > MAX_CHARACTERS:
        raise QuantityError(f"is longer than {MAX_CHARACTERS} characters")
    if not text.isascii():
        text = _RAISED.sub(lambda match: "^" + match[0].translate(_FROM_SUPERSCRIPTS), text)
    if " " in text and "/" in text:
        text = _MIXED.sub(r"\1\\frac{\2}{\3}", text)
    reader = _Reader(_tokens(text), strict)
    node = reader.sum(0)
    if reader.peek() is not None:
        raise QuantityError(f"has {reader.peek()!r} where it should end")
    return node


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
    def __init__(self, tokens: list[str], strict: bool) -> None:
        self._tokens = tokens
        self._strict = strict
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

    def _join(self, factors: list[Node], following: Node) -> None:
        """Put `following` beside the last factor, with no sign between them."""
        last = factors[-1]
        if self._strict:
            _check_join(last, following)
        if isinstance(last, Number) and isinstance(following, Ratio) and isinstance(following.over, Number):
            factors[-1] = Mixed(last, following)
        else:
            factors.append(following)

    def power(self, depth: int) -> Node:
        negative = False
        while not self._strict and self.peek() in ("-", "+"):
            negative ^= self.take() == "-"
        node = self.base(depth)
        if self.peek() == "^":
            self.take()
            node = Power(node, self._whole_exponent() if self._strict else self._exponent(depth))
        return Sum(((True, node),)) if negative else node

    def _whole_exponent(self) -> Number:
        closing = {"{": "}", "(": ")"}.get(self.peek() or "")
        if closing:
            self.take()
        exponent = self.take()
        if not exponent.isdecimal() or int(exponent) > MAX_EXPONENT:
            raise QuantityError(f"has the exponent {exponent!r}; only whole numbers up to {MAX_EXPONENT} are read")
        if closing:
            self.expect(closing)
        return Number(exponent)

    def _exponent(self, depth: int) -> Node:
        if self.peek() != "-":
            return self.base(depth)
        self.take()
        return Sum(((True, self.base(depth)),))

    def base(self, depth: int) -> Node:
        token = self.take()
        if token[0].isdecimal() or token[0] == ".":
            return Number(f"0{token}" if token[0] == "." else token.replace(",", ""))
        if token == "sqrt":
            return Root(self.group(depth))
        if token == "\\frac":
            return Ratio(self.group(depth), self.group(depth))
        if token == "(":
            return self.inside(")", depth)
        if token.isalpha() and (self._strict or not token.isupper()):
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


def _check_join(last: Node, following: Node) -> None:
    base = following.base if isinstance(following, Power) else following
    if isinstance(base, Number):
        raise QuantityError(f"has the number {base.digits} straight after another factor")
    if isinstance(base, Letter) and base.name != "π" and isinstance(last, Letter | Power):
        raise QuantityError(f"has the letter {base.name!r} straight after another letter")

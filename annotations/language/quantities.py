r"""The quantities that label a diagram: `5`, `4y-10`, `3\sqrt{2}`, `\frac{1}{2}x+7`, `2*x**2-10`.

Read from LaTeX, sympy or plain notation; written as plain text with Unicode mathematics: `3√2`, `(1/2)x + 7`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from perception_reward.annotations.language.formulas import LONGEST_EXPRESSION, read_expression
from perception_reward.annotations.language.nodes import Node, walk
from perception_reward.annotations.language.values import Value, less, value_of

MAX_EXPONENT = 9

_DEGREES = re.compile(r"(?:°|º|\^\s*\{?\s*\\circ\s*\}?|\\degree)\s*$")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
# What no label has, so that it was misread: a letter or number straight after a letter or power, a number after a
# number or group, two signs in a row.
_COMMAND = re.compile(r"\\?sqrt|\\d?frac|\\?pi")
_MISREAD = re.compile(
    r"(?:[A-Za-z]|\^[{(]?\d[})]?|[⁰¹²³⁴⁵⁶⁷⁸⁹])\s*[A-Za-z\d]|[)}]\s*\d|\d\s+\d+(?!\d*/\d)|[-−+*·×/^]\s*[-−+*·×/]"
)
_OPERATIONS = frozenset({"+", "-", "*", "/", "^", "neg", "sqrt"})
_LETTERS = frozenset({"symbol", "e", "i"})
_ATOMS = _LETTERS | {"number", "pi"}


class QuantityError(ValueError):
    """The text is no quantity; the message says why."""


@dataclass(frozen=True)
class Quantity:
    """A number or an expression in letters, as a diagram shows it."""

    node: Node

    def __str__(self) -> str:
        return _write(self.node)

    @property
    def is_compound(self) -> bool:
        """Whether it has several terms, so that a unit after it needs parentheses: `(4y - 10) degrees`."""
        return self.node.op in ("+", "-")

    @property
    def is_letter(self) -> bool:
        return self.node.op in _LETTERS

    @cached_property
    def is_number(self) -> bool:
        return not any(node.op in _LETTERS for node in walk(self.node))

    @cached_property
    def value(self) -> Value | None:
        """Exact; None for what has no value, or none that can be held (`values`)."""
        return value_of(self.node)

    @property
    def number(self) -> float | None:
        """Its size; None for an expression in letters, and for what has no finite value."""
        return None if self.value is None else self.value.number

    def constant_gap(self, other: Quantity) -> float | None:
        """`other` less this, where that is the same whatever the letters stand for: 2 of `x + 1` and `x + 3`."""
        if self.value is None or other.value is None:
            return None
        gap = less(other.value, self.value)
        return None if gap is None else gap.number

    def at(self, values: Mapping[str, Quantity]) -> Quantity | None:
        """Its number where the letters have these values, to six digits; None where a letter has none."""
        number = Quantity(_with(self.node, values)).number
        text = "" if number is None else f"{number:.6g}"
        return None if "e" in text or not text else read_quantity(text)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal quantities: of `3+x` and `x + 3`, `√8` and `2√2`."""
        return (str(self),) if self.value is None else self.value.terms


def read_quantity(text: str) -> Quantity:
    """The quantity that `text` writes; a degree sign at its end is dropped. Raises `QuantityError`."""
    text = _DEGREES.sub("", text)
    if len(text) > LONGEST_EXPRESSION:
        raise QuantityError(f"is longer than {LONGEST_EXPRESSION} characters")
    if misread := _MISREAD.search(_COMMAND.sub("√", text).replace("**", "^")):
        raise QuantityError(f"has {misread[0]!r}, as no label of a figure does")
    node = read_expression(text)
    if node is None or not all(map(_is_plain, walk(node))):
        raise QuantityError("is neither a number nor a term in letters")
    return Quantity(node)


def _is_plain(node: Node) -> bool:
    """Whether labels have such a part. Their exponents are whole and small."""
    if node.op == "^":
        exponent = node.parts[1]
        return exponent.op == "number" and exponent.value.denominator == 1 and exponent.value <= MAX_EXPONENT
    return node.op in _OPERATIONS or (node.op in _ATOMS and len(node.name) <= 1)


def _write(node: Node) -> str:
    node = _hoisted(node)
    parts = node.parts
    match node.op:
        case "number":
            return node.written or str(node.value)
        case "pi":
            return "π"
        case "neg":
            return "-" + _grouped(parts[0], {"sqrt", "^", "*", "/"})
        case "sqrt":
            return "√" + _grouped(parts[0])
        case "^":
            return _grouped(parts[0]) + _write(parts[1]).translate(_SUPERSCRIPTS)
        case "/":
            return f"{_grouped(parts[0], {'sqrt', '*'})}/{_grouped(parts[1], {'sqrt'})}"
        case "*":
            last = _grouped(parts[1], {"sqrt", "^"})
            return _grouped(parts[0], {"sqrt", "^", "*"}) + ("·" if last[0].isdecimal() else "") + last
        case "+" | "-":
            return f"{_write(parts[0])} {node.op} {_grouped(parts[1], {'sqrt', '^', '*', '/'})}"
        case _:
            return node.name or node.op


def _hoisted(node: Node) -> Node:
    """A sign of its first factor before the whole product: -(1/2)x for (-1/2)x."""
    if node.op not in ("*", "/"):
        return node
    first = _hoisted(node.parts[0])
    return node if first.op != "neg" else Node("neg", (replace(node, parts=(first.parts[0], node.parts[1])),))


def _grouped(node: Node, bare: set[str] | frozenset[str] = frozenset()) -> str:
    """In parentheses, but for a number, a letter and what `bare` names."""
    text = _write(node)
    return text if (node.op in _ATOMS and " " not in node.written) or node.op in bare else f"({text})"


def _with(node: Node, values: Mapping[str, Quantity]) -> Node:
    """The node with what `values` has in the place of its letters."""
    if node.op in _LETTERS:
        value = values.get(node.name or node.op)
        return value.node if value else node
    return replace(node, parts=tuple(_with(part, values) for part in node.parts))

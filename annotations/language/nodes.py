"""The tree that a formula is read as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Node:
    """`op` of `parts`: `number` (its `value`), `symbol` (its `name`), `+`, `*`, `/`, `^`, or a function's name.

    written: a number as it stood, "0.50" or "5 3/4", which does not tell equal nodes apart.
    """

    op: str
    parts: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)
    name: str = ""
    written: str = field(default="", compare=False)


def symbols_of(node: Node) -> frozenset[str]:
    """The names of its unknowns."""
    return frozenset(one.name for one in walk(node) if one.op == "symbol")


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(one.parts)


def branches(node: Node) -> tuple[Node, ...]:
    r"""The formula itself, or for one with `\pm` both of what it says: all upper signs, all lower signs."""
    if not holds(node, (r"\pm", r"\mp")):
        return (node,)
    return tuple(_with_signs(node, upper) for upper in (True, False))


def holds(node: Node, ops: tuple[str, ...]) -> bool:
    return any(one.op in ops for one in walk(node))


def _with_signs(node: Node, upper: bool) -> Node:
    parts = tuple(_with_signs(part, upper) for part in node.parts)
    if node.op == r"\pm":
        return Node("+" if upper else "-", parts)
    if node.op == r"\mp":
        return Node("-" if upper else "+", parts)
    return replace(node, parts=parts)

"""The tree that a formula is read as."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Node:
    """`op` of `parts`: `number` (its `value`), `symbol` (its `name`), `+`, `*`, `/`, `^`, or a function's name."""

    op: str
    parts: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)
    name: str = ""


def symbols_of(node: Node) -> frozenset[str]:
    """The names of its unknowns."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.op == "symbol":
            found.add(one.name)
        waiting.extend(one.parts)
    return frozenset(found)


def branches(node: Node) -> tuple[Node, ...]:
    r"""The formula itself, or for one with `\pm` both of what it says: all upper signs, all lower signs."""
    if not holds(node, (r"\pm", r"\mp")):
        return (node,)
    return tuple(_with_signs(node, upper) for upper in (True, False))


def holds(node: Node, ops: tuple[str, ...]) -> bool:
    return node.op in ops or any(holds(part, ops) for part in node.parts)


def _with_signs(node: Node, upper: bool) -> Node:
    parts = tuple(_with_signs(part, upper) for part in node.parts)
    if node.op == r"\pm":
        return Node("+" if upper else "-", parts)
    if node.op == r"\mp":
        return Node("-" if upper else "+", parts)
    return Node(node.op, parts, node.value, node.name)

"""Ratios of two or more values: `2:1`, `3 to 4`, `1:\\sqrt{3}:2`."""

from __future__ import annotations

import re
from fractions import Fraction

from perception_reward.service.rewards.answers.formulas import read_formula
from perception_reward.service.rewards.answers.nodes import Node
from perception_reward.service.rewards.answers.quantities import read_quantities

MOST_TERMS = 5

_word = re.compile(r"(?<=\d) (?:to|is to) (?=\d)|\s?比\s?")


def is_ratio(text: str) -> bool:
    return ":" in text or _word.search(text) is not None


def read_ratio(text: str) -> tuple[Node, ...] | None:
    """Its terms; None for what is no ratio."""
    parts = _word.sub(":", text).split(":")
    nodes = [read_formula(part.strip()) for part in parts]
    found = tuple(node for node in nodes if node is not None)
    return found if 2 <= len(found) == len(parts) <= MOST_TERMS else None


def as_ratio(text: str) -> tuple[Node, ...] | None:
    """A value beside a ratio: it to 1."""
    quantity = next(iter(read_quantities(text)), None)
    if quantity is None or quantity.unit is not None:
        return None
    return quantity.node, Node("number", value=Fraction(1))

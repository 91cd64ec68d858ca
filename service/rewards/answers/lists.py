r"""Lists of values, with or without the names of what they belong to: `x = 1, y = 2`, `x_1 = 1, x_2 = 2`, `\pm 3`.

And ratios of two or more values: `2:1`, `3 to 4`, `1:\sqrt{3}:2`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from perception_reward.annotations.language.formulas import read_formula
from perception_reward.annotations.language.nodes import Node
from perception_reward.service.rewards.answers.quantities import read_quantities
from perception_reward.service.rewards.answers.relations import read_equality
from perception_reward.service.rewards.answers.structures import Sequence, read_sequence


def read_list(text: str) -> Sequence | None:
    if r"\pm" in text and not re.search(r"^\s*[(\[]|,", text):
        upper = text.replace(r"\pm", "+").replace(r"\mp", "-")
        lower = text.replace(r"\pm", "-").replace(r"\mp", "+")
        return Sequence("", (_unsigned(upper), _unsigned(lower)))
    match = re.match(r"^\(\s?[A-Za-z]\w?\s?(?:,\s?[A-Za-z]\w?\s?)+\)\s?=\s?", text)
    found = read_sequence(text[match.end() :] if match is not None else text)
    if found is None or (read_quantities(text) and not found.brackets):
        return None
    return found


def _unsigned(text: str) -> str:
    """`x = + 3` as `x = 3`."""
    return re.sub(r"(^|=)\s?\+\s?", r"\1 ", text).strip()


@dataclass(frozen=True, slots=True)
class Named:
    """pairs: (name, value), sorted by name where names are distinct."""

    pairs: tuple[tuple[str, str], ...]
    distinct: bool


def named_values(sequence: Sequence) -> Named | None:
    """`x = 1, y = 2` of distinct unknowns, `x = 1 or x = 2` and `x_1 = 1, x_2 = 2` of one; None where none is named."""
    if sequence.brackets not in ("", "{}", "()"):
        return None
    pairs: list[tuple[str, str]] = []
    for item in sequence.items:
        equality = read_equality(item)
        if equality is None or len(equality.names) != 1 or not equality.members:
            pairs.append(("", item))
        else:
            pairs.append((equality.names[0], equality.members[-1]))
    names = [re.sub(r"_.*|[\d\s]+$", "", name) for name, _ in pairs]
    if not names[0]:
        return None
    return Named(tuple(sorted(pairs)) if all(names) else tuple(pairs), all(names) and len(set(names)) == len(names))


def as_items(sequence: Sequence, named: Named | None) -> Sequence:
    if named is None:
        return sequence
    return Sequence("()" if named.distinct else "", tuple(value for _, value in named.pairs))


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

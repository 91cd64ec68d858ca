r"""Whether an answer says what a reference says. Both are in plain notation (`notation.py`).

    Comparison()("x = 1 \text{ or } x = 2", "1, 2")     # True
    Comparison()("1 and 3", "-1 and 3")                  # False

Each rule reads both texts as one kind of value and answers, or says None where they are of no such kind; the first
rule that answers decides. Words come last: they are what no other rule can read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from perception_reward.annotations.language.literals import read_based, read_decimal_comma
from perception_reward.annotations.language.nodes import Node
from perception_reward.annotations.language.units import read_unit
from perception_reward.service.rewards.answers.amounts import Amounts
from perception_reward.service.rewards.answers.equations import Equations
from perception_reward.service.rewards.answers.lists import (
    as_items,
    as_ratio,
    is_ratio,
    named_values,
    read_list,
    read_ratio,
)
from perception_reward.service.rewards.answers.notation import squeezed
from perception_reward.service.rewards.answers.options import labels_of_reference, named_labels
from perception_reward.service.rewards.answers.quantities import Quantity, read_quantities
from perception_reward.service.rewards.answers.relations import same_name
from perception_reward.service.rewards.answers.statements import (
    predicate,
    without_label,
    without_lead,
    without_point,
    without_remark,
)  # fmt: skip
from perception_reward.service.rewards.answers.structures import (
    Matrix,
    Sequence,
    read_matrix,
    read_sequence,
    same_items,
    same_unordered,
)  # fmt: skip
from perception_reward.service.rewards.answers.times import read_clock, read_date, same_clock
from perception_reward.service.rewards.answers.words import affirms, only_number, read_polar, same_words

MOST_DEPTH = 4
"""Of lists within lists, and of sentences taken apart."""

_UNDEFINED = frozenset(("does not exist", "dne", "undefined"))
_EMPTY = _UNDEFINED | frozenset(
    (r"\emptyset", r"\{\}", r"\{ \}", "{}", r"x\in\emptyset", "empty set", "emptyset", "null set", "no solution",
     "no solutions", "no real solution", "no real solutions", "no real roots", "there is no solution",
     "there are no solutions", "none exist", "无解", "空集")
)  # fmt: skip
# `CO_2`, which some write `CO2`.
_letters = re.compile(r"[A-Za-z][A-Za-z0-9_{}]*")
_restated = re.compile(r"([^()]{1,60})\s\(([^()]{1,60})\)")
_assigned = re.compile(r"^(?:[^=\\]{1,20}|\\begin\{(\w+)\}[a-z\\&\s_0-9]{1,40}\\end\{\1\}\s?)=\s?(?=\\begin)")


@dataclass(frozen=True, slots=True)
class Comparison:
    """amounts: how numbers are compared, and whether values may be computed that are not rational; else `NeedsAlgebra`
    is raised where it comes to that."""

    amounts: Amounts
    depth: int = 0

    def __call__(self, answer: str, reference: str) -> bool:
        if squeezed(answer) == squeezed(reference):
            return bool(reference)
        if not answer or not reference or self.depth > MOST_DEPTH:
            return False
        equations = Equations(self._deeper, self.amounts)
        rules: tuple[Callable[[str, str], bool | None], ...] = (
            self._labels, self._said, self._polar, self._empty, _based, _clocks, _dates, self._matrices,
            equations.solutions, self._lists, equations.equalities, self._ratios, self._quantities, self._sentences,
        )  # fmt: skip
        for rule in rules:
            found = rule(answer, reference)
            if found is not None:
                return found
        if read_quantities(reference) and (read_quantities(answer) or not _letters.fullmatch(reference)):
            return False
        return same_words(answer, reference)

    def _deeper(self, answer: str, reference: str) -> bool:
        return Comparison(self.amounts, self.depth + 1)(answer, reference)

    def _labels(self, answer: str, reference: str) -> bool | None:
        """A reference that is an option's label, with or without its text, or several labels."""
        theirs = labels_of_reference(reference)
        if theirs is None:
            return None
        mine = named_labels(answer)
        if mine is None:
            return self._deeper(answer, theirs.tail) if theirs.tail else (False if len(theirs.labels) == 1 else None)
        if mine.hedged or mine.labels != theirs.labels:
            return False
        return not mine.tail or not theirs.tail or self._deeper(mine.tail, theirs.tail)

    def _said(self, answer: str, reference: str) -> bool | None:
        """What is said to be the answer, and what stands around it: "The answer is", "about", `x \\in`, "5 (five)"."""
        mine, theirs = without_remark(without_lead(answer)), without_lead(reference)
        if (":" in mine) != (":" in theirs):
            mine, theirs = without_label(mine), without_label(theirs)
        mine, theirs = self._once(mine), self._once(theirs)
        return None if (mine, theirs) == (answer, reference) else self._deeper(mine, theirs)

    def _once(self, text: str) -> str:
        """Without what brackets say again: `12 (twelve)`, `5 cm (centimeters)`."""
        match = _restated.fullmatch(text)
        if match is None:
            return text
        said, again = match[1].strip(), match[2].strip()
        unit = read_unit(again)
        if unit is not None and any(quantity.unit == unit for quantity in read_quantities(said)):
            return said
        return said if self._deeper(said, again) else text

    def _polar(self, answer: str, reference: str) -> bool | None:
        theirs = read_polar(reference)
        if theirs is None or len(reference.split()) > 1:
            return None
        mine = read_polar(answer)
        return (mine is not None and affirms(mine) == affirms(theirs)) or same_words(answer, reference)

    def _empty(self, answer: str, reference: str) -> bool | None:
        mine, theirs = answer.casefold(), reference.casefold()
        if theirs not in _EMPTY:
            return None
        return mine.replace("x \\in ", "") in _EMPTY and (mine in _UNDEFINED) == (theirs in _UNDEFINED)

    def _matrices(self, answer: str, reference: str) -> bool | None:
        if "\\begin" in answer + reference:
            answer, reference = _assigned.sub("", answer), _assigned.sub("", reference)
        mine, theirs = read_matrix(answer), read_matrix(reference)
        if mine is not None and theirs is not None:
            return self._same_matrix(mine, theirs)
        if mine is None and theirs is None:
            return None
        # A column is a vector, which may be written in a line.
        one = _vector(answer) if mine is None else mine.vector
        other = _vector(reference) if theirs is None else theirs.vector
        if one is None or other is None:
            return None if "\\begin" in (answer if mine is None else reference) else False
        return len(one) == len(other) and all(map(self._deeper, one, other))

    def _same_matrix(self, mine: Matrix, theirs: Matrix) -> bool:
        if mine.kind != theirs.kind or list(map(len, mine.rows)) != list(map(len, theirs.rows)):
            return False

        def same_rows(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
            return len(one) == len(other) and all(map(self._deeper, one, other))

        if mine.kind == "cases":
            return same_unordered(mine.rows, theirs.rows, same_rows)
        return all(map(same_rows, mine.rows, theirs.rows))

    def _lists(self, answer: str, reference: str) -> bool | None:
        mine, theirs = read_list(answer), read_list(reference)
        if mine is None and theirs is None:
            return None
        if mine is not None and theirs is not None:
            return self._same_list(mine, theirs)
        if read_quantities(answer) and read_quantities(reference):
            return None
        if mine is None:
            return False if read_quantities(answer) or theirs is None else None
        if read_quantities(reference) and only_number(answer) is None:
            return self._decimal_comma(answer, reference)
        return None

    def _decimal_comma(self, answer: str, reference: str) -> bool:
        number = read_decimal_comma(answer)
        if number is None:
            return False
        mine = Quantity(Node("number", value=number.value), number)
        return any(self.amounts.same(mine, theirs) for theirs in read_quantities(reference))

    def _same_list(self, mine: Sequence, theirs: Sequence) -> bool:
        own, others = named_values(mine), named_values(theirs)
        if own is not None and others is not None and own.distinct and others.distinct:
            return len(own.pairs) == len(others.pairs) and all(
                any(same_name(name, other) and self._deeper(value, wanted) for name, value in own.pairs)
                for other, wanted in others.pairs
            )
        return same_items(as_items(mine, own), as_items(theirs, others), self._deeper)

    def _ratios(self, answer: str, reference: str) -> bool | None:
        """`2:4` is `1:2`, and `5:12` is `\\frac{5}{12}`."""
        if not is_ratio(answer) and not is_ratio(reference):
            return None
        mine = read_ratio(answer) or as_ratio(answer)
        theirs = read_ratio(reference) or as_ratio(reference)
        if mine is None or theirs is None:
            return None
        if len(mine) != len(theirs):
            return False
        (first, base), *others = zip(mine, theirs, strict=True)
        same = self.amounts.same_value
        return all(same(Node("*", (one, base)), Node("*", (first, other))) for one, other in others)

    def _quantities(self, answer: str, reference: str) -> bool | None:
        theirs = read_quantities(reference)
        if not theirs:
            return None
        mine = read_quantities(answer)
        if mine:
            return any(self.amounts.same(one, other) for one in mine for other in theirs)
        found = only_number(answer)
        if found is None:
            return None
        number, after = found
        return any(self.amounts.same(one, other) for one in _in_a_sentence(number, after) for other in theirs)

    def _sentences(self, answer: str, reference: str) -> bool | None:
        """What the answer's sentence says that something is: "The area is 36\\pi"."""
        said = predicate(answer)
        return None if said is None else self._deeper(said, reference) or same_words(answer, reference)


def _based(answer: str, reference: str) -> bool | None:
    mine, theirs = read_based(answer), read_based(reference)
    return None if mine is None and theirs is None else mine == theirs


def _clocks(answer: str, reference: str) -> bool | None:
    mine, theirs = read_clock(answer), read_clock(reference)
    return None if mine is None or theirs is None else same_clock(mine, theirs)


def _dates(answer: str, reference: str) -> bool | None:
    mine, theirs = read_date(answer), read_date(reference)
    return None if mine is None or theirs is None else mine == theirs


def _vector(text: str) -> tuple[str, ...] | None:
    items = read_sequence(without_point(text))
    return items.items if items is not None and items.brackets in ("()", "[]", "<>", "") else None


def _in_a_sentence(number: str, after: str) -> tuple[Quantity, ...]:
    """A number in a sentence, with the unit that the next words name."""
    words = after.split()
    for count in (3, 2, 1):
        if len(words) >= count and read_unit(" ".join(words[:count]).strip(".,")) is not None:
            return read_quantities(f"{number} {' '.join(words[:count]).strip('.,')}")
    return read_quantities(number)

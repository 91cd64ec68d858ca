r"""Whether two texts say the same of their unknowns: equations, inequalities, intervals, assignments.

Equations(same, Amounts()).equalities("12\\pi \\approx 37.7", "12\\pi")       # True
Equations(same, Amounts()).solutions("1 < x < 2", "(1,2)")                    # True
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from perception_reward.annotations.language.formulas import read_formula
from perception_reward.annotations.language.nodes import symbols_of
from perception_reward.service.rewards.answers import evaluation
from perception_reward.service.rewards.answers.amounts import Amounts
from perception_reward.service.rewards.answers.quantities import read_quantities
from perception_reward.service.rewards.answers.relations import (
    End,
    Equality,
    Solution,
    difference,
    read_equality,
    read_solution,
    relation_parts,
    same_name,
)  # fmt: skip

_relational = re.compile(r"[<>]|\\(?:le|ge|ne|in|cup|mathbb|infty)(?![A-Za-z])")
_half_open = re.compile(r"\(.*\]|\[.*\)")
_STRICT = {"<": (True, True), ">": (True, False), r"\le": (False, True), r"\ge": (False, False)}
"""Of a sign: whether it excludes equality, and whether the smaller side is left."""


@dataclass(frozen=True, slots=True)
class Equations:
    """same: compares parts. Both methods return None where neither text is of their kind."""

    _same: Callable[[str, str], bool]
    _amounts: Amounts

    def solutions(self, answer: str, reference: str) -> bool | None:
        """Intervals and inequalities, where at least one side can be nothing else."""
        if not any(_relational.search(text) or _half_open.fullmatch(text) for text in (answer, reference)):
            return None
        mine, theirs = read_solution(answer), read_solution(reference)
        if mine is not None and theirs is not None:
            return self._same_solution(mine, theirs)
        return self._inequalities(answer, reference)

    def _same_solution(self, mine: Solution, theirs: Solution) -> bool:
        if mine.name and theirs.name and not same_name(mine.name, theirs.name):
            return False
        if len(mine.intervals) != len(theirs.intervals):
            return False
        return all(
            self._same_end(one.low, other.low) and self._same_end(one.high, other.high)
            for one, other in zip(mine.intervals, theirs.intervals, strict=True)
        )

    def _same_end(self, mine: End, theirs: End) -> bool:
        if not mine.text or not theirs.text:
            return mine.text == theirs.text
        return mine.closed == theirs.closed and self._same(mine.text, theirs.text)

    def _inequalities(self, answer: str, reference: str) -> bool | None:
        """`2x+3y < 6` and `6 > 3y+2x`: their differences are in a positive ratio."""
        (mine, signs), (theirs, others) = relation_parts(answer), relation_parts(reference)
        if len(signs) != 1 or len(others) != 1 or not {*signs, *others} <= _STRICT.keys():
            return None
        if _STRICT[signs[0]][0] != _STRICT[others[0]][0]:
            return False
        first = difference(*(mine if _STRICT[signs[0]][1] else mine[::-1]))
        second = difference(*(theirs if _STRICT[others[0]][1] else theirs[::-1]))
        if first is None or second is None:
            return None
        self._amounts.require_algebra()
        ratio = evaluation.ratio_of(first, second)
        return ratio is not None and not ratio.imag and bool(ratio.real > 0)

    def equalities(self, answer: str, reference: str) -> bool | None:
        mine, theirs = read_equality(answer), read_equality(reference)
        if mine is None and theirs is None:
            return None
        if theirs is None or (theirs.names and mine is None):
            members = theirs.members if theirs is not None else (reference,)
            if mine is None:
                return any(self._same(answer, member) for member in members)
            return self._valued(mine, reference)
        if mine is None:
            values = [read_formula(member) for member in theirs.members]
            if any(value is None or symbols_of(value) for value in values):
                return False
            return any(self._same(answer, member) for member in theirs.members)
        if mine.names and theirs.names and any(same_name(one, two) for one in mine.names for two in theirs.names):
            return self._consistent(mine) and any(
                self._same(one, two) for one in mine.members for two in theirs.members
            )
        return self._same_equation(answer, reference)

    def _valued(self, mine: Equality, reference: str) -> bool:
        """`x = 5` or `12\\pi \\approx 37.7`, against a value alone."""
        if not mine.members:
            return False
        if not mine.names and len(mine.members) > 1:
            nodes = [read_formula(member) for member in mine.members]
            if any(node is None or symbols_of(node) for node in nodes) and not self._consistent(mine):
                # `x + y = 5`: of an unknown sum, whose value the other side is.
                unknown = nodes[0] is not None and bool(symbols_of(nodes[0]))
                return unknown and len(mine.members) == 2 and self._same(mine.members[1], reference)
        return self._consistent(mine) and any(self._same(member, reference) for member in mine.members)

    def _consistent(self, equality: Equality) -> bool:
        """Whether what is said to be equal is, and what is said to be about equal rounds to it."""
        for place, member in enumerate(equality.members[1:], 1):
            before = equality.members[place - 1]
            mine, theirs = read_quantities(before)[:1], read_quantities(member)[:1]
            if not mine or not theirs:
                if not self._same(before, member):
                    return False
            elif not (self._amounts.rounds if equality.rounded[place] else self._amounts.equal)(mine[0], theirs[0]):
                return False
        return True

    def _same_equation(self, answer: str, reference: str) -> bool:
        (mine, signs), (theirs, others) = relation_parts(answer), relation_parts(reference)
        if signs != ["="] or others != ["="]:
            return len(mine) == len(theirs) and signs == others and all(map(self._same, mine, theirs))
        first, second = difference(*mine), difference(*theirs)
        if first is None or second is None:
            return all(map(self._same, mine, theirs)) or all(map(self._same, mine[::-1], theirs))
        self._amounts.require_algebra()
        return evaluation.ratio_of(first, second) is not None

r"""Whether an answer says what the reference says: letters and options, words, quantities, lists, equations, formulas.

    grade("\frac{1}{2}", ("0.5",))                                     # True
    grade("45", ("B",), (("A", "30"), ("B", "45")))                    # True: the option's text
    grade("103", ("100",), tolerance=0.05)                             # True

Every text goes through one notation (`answers/notation.py`) and is then read as what it means (`answers/compare.py`).
`accuracy.md`, beside this file, lists the decisions and the measured figures.

Grades are pure and bounded: what a formula costs is known before it is evaluated, and what costs too much is wrong.
`quick_grade` is the half that takes no more than rational arithmetic; `grade` asks it first, so they agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from perception_reward.service.rewards.answers.amounts import Amounts, NeedsAlgebra
from perception_reward.service.rewards.answers.compare import Comparison
from perception_reward.service.rewards.answers.notation import plain, squeezed
from perception_reward.service.rewards.answers.options import Options
from perception_reward.service.rewards.answers.statements import LONGEST, last_statement, read_reference

GRADER_VERSION = "6"
"""Part of every cache key. To be raised with any change that can change a grade."""

LONGEST_ANSWER = 2000
"""Characters. A longer answer is wrong, unless it is the reference to the letter."""

Choice: TypeAlias = tuple[str, str]
"""An option's label and its text."""


def grade(
    answer: str, references: Sequence[str], choices: Sequence[Choice] | None = None, tolerance: float = 0.0
) -> bool:
    """Whether the answer is right. Milliseconds for most, and a second of computing at most.

    references: alternatives, any of which is right: a label or place of an option, an option's text, a word, a number
    with or without unit, LaTeX or sympy notation, or a solution that ends in a box. choices: (label, text) of each
    option where the problem has any. tolerance: how far a number may be off, relative to the reference.
    """
    quick = quick_grade(answer, references, choices, tolerance)
    return _grade(answer, references, choices, Comparison(Amounts(tolerance))) if quick is None else quick


def quick_grade(
    answer: str, references: Sequence[str], choices: Sequence[Choice] | None = None, tolerance: float = 0.0
) -> bool | None:
    """The grade where it takes no algebra, else None. Never raises; bounded by `LONGEST_ANSWER`."""
    trivial = trivial_grade(answer, references)
    if trivial is not None:
        return trivial
    try:
        return _grade(answer, references, choices, Comparison(Amounts(tolerance, algebra=False)))
    except NeedsAlgebra:
        return None


def trivial_grade(answer: str, references: Sequence[str]) -> bool | None:
    """The grade where comparing the letters decides: a reference itself, or far too long. Else None."""
    if answer in references:
        return bool(answer.strip())
    return False if len(answer) > LONGEST_ANSWER else None


READ_CHARACTERS = 600
"""Of an answer in plain notation. In a longer one only what a sentence says to be the answer is read."""


def _grade(answer: str, references: Sequence[str], choices: Sequence[Choice] | None, same: Comparison) -> bool:
    mine = plain(answer)
    if len(mine) > READ_CHARACTERS:
        mine = last_statement(mine)[:READ_CHARACTERS]
    if not mine:
        return False
    wanted = [plain(text) for reference in references for text in read_reference(reference)]
    if choices:
        labels, texts = zip(*((label, plain(text[:LONGEST])) for label, text in choices), strict=True)
        options = Options(labels, texts)
        return any(_chosen(mine, theirs, options, same) for theirs in wanted if theirs)
    return any(same(mine, theirs) for theirs in wanted if theirs)


def _chosen(answer: str, reference: str, options: Options, same: Comparison) -> bool:
    # A tolerance would make neighbouring options one.
    exactly = Comparison(Amounts(algebra=same.amounts.algebra))
    wanted = options.chosen(reference, exactly) or options.indexed(reference)
    if wanted is None:
        return same(answer, reference)
    mine = options.chosen(answer, exactly)
    if mine is None:
        return False
    return mine == wanted or {squeezed(options.texts[place]) for place in mine} == {
        squeezed(options.texts[place]) for place in wanted
    }

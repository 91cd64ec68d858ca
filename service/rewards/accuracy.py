r"""Whether an answer equals the reference: letters and options, words, quantities with units, lists, expressions.

Both are brought into one notation and then compared by the first rule that can read them both. `accuracy.md`,
beside this file, lists the decisions (percentages, units that one side omits, decimals) and the measured figures.

`grade` is pure and picklable and runs in a worker process, because expressions may hang sympy. `quick_grade` is its
first half, without sympy: it decides the frequent cases in microseconds, and `grade` asks it first, so they agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

from perception_reward.service.rewards.expressions import is_prose, rounds_to, same_expression
from perception_reward.service.rewards.literals import Literal, agrees, read_number
from perception_reward.service.rewards.notation import plain
from perception_reward.service.rewards.options import chosen, named_letter
from perception_reward.service.rewards.sequences import read_sequence, same_sequence
from perception_reward.service.rewards.units import PERCENT, Unit, read_unit, split_unit
from perception_reward.service.rewards.words import only_number, same_words

GRADER_VERSION = "3"
"""Part of every cache key. To be raised with any change that can change a grade."""

LONGEST_ANSWER = 2000
"""Characters. A longer answer is wrong, unless it is the reference to the letter; of a longer reference or option, its
beginning counts."""

MOST_DEPTH = 3
"""Of lists within lists."""

Choice: TypeAlias = tuple[str, str]
"""An option's label and its text."""

Algebra: TypeAlias = Callable[[str, str], bool]


class NeedsAlgebra(Exception):
    """The cheap rules cannot decide."""


def grade(
    answer: str, references: Sequence[str], choices: Sequence[Choice] | None = None, tolerance: float = 0.0
) -> bool:
    """Whether the answer is right. May hang or exhaust memory on hostile answers: run it in a `WorkerPool`.

    references: alternatives, any of which is right: a letter, an option's text, a word, a number with or without unit,
    LaTeX or sympy notation. choices: (label, text) of each option where the problem has any. tolerance: how far a
    number may be off, relative to the reference.
    """
    quick = quick_grade(answer, references, choices, tolerance)
    if quick is not None:
        return quick
    return any(_grade(answer, reference, choices, tolerance, _algebra) for reference in references)


def quick_grade(
    answer: str, references: Sequence[str], choices: Sequence[Choice] | None = None, tolerance: float = 0.0
) -> bool | None:
    """The grade where it takes no algebra, else None. Never raises; bounded by `LONGEST_ANSWER`."""
    trivial = trivial_grade(answer, references)
    if trivial is not None:
        return trivial
    try:
        return any(_grade(answer, reference, choices, tolerance, _refuse) for reference in references)
    except NeedsAlgebra:
        return None


def trivial_grade(answer: str, references: Sequence[str]) -> bool | None:
    """The grade where comparing the letters decides: a reference itself, or far too long. Else None."""
    if answer in references:
        return bool(answer.strip())
    return False if len(answer) > LONGEST_ANSWER else None


def _refuse(_answer: str, _reference: str) -> bool:
    raise NeedsAlgebra


def _algebra(answer: str, reference: str) -> bool:
    if same_expression(answer, reference):
        return True
    number = read_number(reference)
    return number is not None and rounds_to(answer, number)


def _grade(answer: str, reference: str, choices: Sequence[Choice] | None, tolerance: float, algebra: Algebra) -> bool:
    mine, theirs = plain(answer), plain(reference[:LONGEST_ANSWER])
    if not mine or not theirs:
        return False
    same = _Comparison(algebra, tolerance)
    if choices:
        options = [plain(text[:LONGEST_ANSWER]) for _, text in choices]
        wanted = chosen(theirs, options, same)
        if wanted is not None:
            same = _Comparison(algebra)
            given = chosen(mine, options, same)
            return given is not None and (given == wanted or _squeezed(options[given]) == _squeezed(options[wanted]))
    return same(mine, theirs)


_name = re.compile(r"(?:m\s?)?(?:\\?[A-Za-z]|[ '{}()_,]|(?<=[A-Za-z_{])\d){1,200}")
_equals = re.compile(r"(?<![<>!:=\\])=(?!=)")
_approximately = re.compile(r"\\approx|\\simeq|\\doteq|~=")
_member = re.compile(r"\\?[A-Za-z]{1,10}\s?\\in(?![A-Za-z])\s?")
_lead = re.compile(
    r"(?:so|thus|therefore|hence)?,?\s?(?:the )?(?:final |correct )?answer(?: is)?\s?:?\s"
    r"|(?:about|approximately|approx\.?)\s",
    re.IGNORECASE,
)
_ratio = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s?:\s?(\d{1,9}(?:\.\d{1,9})?)")
_clock = re.compile(r"\d{1,2}:\d{2}")
_relation = re.compile(r"[<>]|\\(?:leq?|geq?|lt|gt|in|cup|cap|infty)(?![A-Za-z])")


class _Comparison:
    """Whether two answers in plain notation are the same, by the first rule that can read both."""

    def __init__(self, algebra: Algebra, tolerance: float = 0.0, depth: int = 0) -> None:
        self._algebra = algebra
        self._tolerance = tolerance
        self._depth = depth

    def __call__(self, answer: str, reference: str) -> bool:
        if _squeezed(answer) == _squeezed(reference):
            return True
        if len(reference) == 1 and reference.isascii() and reference.isupper():
            named = named_letter(answer)
            return named is not None and named[0] == reference
        answer, reference = _without_lead(answer), _without_lead(reference)
        sides = _sides(answer, reference)
        return sides is not None and self._values(*sides)

    def _values(self, answer: str, reference: str) -> bool:
        if _squeezed(answer) == _squeezed(reference):
            return bool(reference)
        mine, theirs = split_unit(answer), split_unit(reference)
        if (quantities := _same_quantity(mine, theirs, self._tolerance)) is not None:
            return quantities
        if read_number(theirs[0]) is not None and (sentence := only_number(answer)) is not None:
            return bool(_same_quantity(_with_unit(*sentence), theirs, self._tolerance))
        if (ratios := _same_ratio(answer, reference)) is not None:
            return ratios
        if is_prose(theirs[0]) or ":" in reference:
            return same_words(answer, reference) or bool(self._sequences(answer, reference))
        if (sequences := self._sequences(answer, reference)) is not None:
            return sequences
        return not is_prose(mine[0]) and self._expressions(mine, theirs)

    def _sequences(self, answer: str, reference: str) -> bool | None:
        mine, theirs = read_sequence(answer), read_sequence(reference)
        if mine is None and theirs is None:
            return None
        if mine is None or theirs is None:
            other = answer if mine is None else reference
            return None if _relation.search(other) else False
        if self._depth >= MOST_DEPTH:
            return False
        return same_sequence(mine, theirs, _Comparison(self._algebra, self._tolerance, self._depth + 1))

    def _expressions(self, mine: tuple[str, Unit | None], theirs: tuple[str, Unit | None]) -> bool:
        scale = _scale(mine[1], theirs[1])
        if scale is None:
            return False
        answer = mine[0] if scale == 1 else rf"({mine[0]}) \cdot \frac{{{scale.numerator}}}{{{scale.denominator}}}"
        return self._algebra(answer, theirs[0])


def _squeezed(text: str) -> str:
    return text.replace(" ", "")


def _without_lead(text: str) -> str:
    match = _lead.match(text)
    text = text[match.end() :].strip() if match is not None else text
    match = _member.match(text)
    return text[match.end() :].strip() if match is not None else text


def _sides(answer: str, reference: str) -> tuple[str, str] | None:
    """What is left to compare once names (`x = 5`) and approximations (`12\\pi \\approx 37.7`) are off.

    None where both name something, and not the same. Two equations that are no assignments stay whole.
    """
    mine, theirs = _equals.split(answer), _equals.split(reference)
    if len(mine) > 1 and len(theirs) > 1:
        named = [_name.fullmatch(parts[0].strip()) is not None for parts in (mine, theirs)]
        if named == [True, True]:
            if _squeezed(mine[0]) != _squeezed(theirs[0]):
                return None
        else:
            return answer, reference
    elif len(theirs) > 1 and _name.fullmatch(theirs[0].strip()) is None:
        return answer, reference
    reference = _approximately.split(theirs[-1])[0].strip()
    approximations = _approximately.split(mine[-1])
    number = read_number(split_unit(reference)[0])
    answer = approximations[-1 if number is not None and number.places else 0].strip()
    if len(approximations) > 1 and _name.fullmatch(approximations[0].strip()):
        answer = approximations[-1].strip()
    return answer, reference


def _same_quantity(mine: tuple[str, Unit | None], theirs: tuple[str, Unit | None], tolerance: float) -> bool | None:
    """None unless both are plain numbers, with or without unit."""
    answer, reference = read_number(mine[0]), read_number(theirs[0])
    if answer is None or reference is None:
        return None
    scale = _scale(theirs[1], mine[1])
    if scale is not None and agrees(answer.value, reference, scale):
        return True
    wanted = reference.value * scale if scale is not None else None
    if tolerance and wanted is not None and abs(answer.value - wanted) <= abs(wanted) * Fraction(tolerance):
        return True
    if mine[1] == PERCENT and theirs[1] is None:
        return agrees(answer.value, reference, Fraction(100))
    if theirs[1] == PERCENT and mine[1] is None:
        return agrees(answer.value, reference, Fraction(1, 100))
    return False


def _scale(unit: Unit | None, into: Unit | None) -> Fraction | None:
    """What one `unit` is in `into`. 1 where a side names no unit: it may be understood. None: not comparable."""
    if unit is None or into is None or not unit.dimension or not into.dimension:
        return Fraction(1)
    return unit.factor / into.factor if unit.dimension == into.dimension else None


def _with_unit(number: str, after: str) -> tuple[str, Unit | None]:
    """A number in a sentence, with the unit that the next words name."""
    words = after.split()
    for count in (3, 2, 1):
        unit = read_unit(" ".join(words[:count])) if len(words) >= count else None
        if unit is not None:
            return number, unit
    return number, None


def _same_ratio(answer: str, reference: str) -> bool | None:
    """`2:4` is `1:2`, and `5:12` is `\\frac{5}{12}`; but of two times of day only the same is the same."""
    mine, theirs = _as_ratio(answer), _as_ratio(reference)
    if mine is None or theirs is None or ":" not in answer + reference:
        return None
    if _clock.fullmatch(answer) and _clock.fullmatch(reference):
        return False
    return mine == theirs


def _as_ratio(text: str) -> Fraction | None:
    match = _ratio.fullmatch(text)
    if match is not None:
        return None if Fraction(match[2]) == 0 else Fraction(match[1]) / Fraction(match[2])
    number: Literal | None = read_number(text)
    return None if number is None else number.value

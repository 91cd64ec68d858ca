"""Values that a fact does not have, and facts of kind `other` with something else in them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from perception_reward.annotations.language.numbers import Number, in_words, numbers_in
from perception_reward.service.audit.statements import Statement

_CONSTANT = re.compile(r"(?<=[+\-−] )\d+$")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# Numbers that people write in words as soon as in digits.
_SMALL = range(1, 13)
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?")
_COLOURS = ("red", "green", "blue", "yellow", "black", "white", "orange", "purple")
_COLOUR = re.compile(r"\b(?:" + "|".join(_COLOURS) + r")\b", re.IGNORECASE)
_STEPS = (1, -1, 2, -2, 3, 4, -4, 5, 6, 7, 9, 10, 12, 15, 20)


def other_values(statement: Statement, rng: random.Random, most: int = 24) -> list[str]:
    """Values that exclude the statement's own, in random order.

    An expression is given another constant: `3x + 10` and `3x + 12` never hold both. A lone unknown has no such
    value, since it may have any.
    """
    steps = rng.sample(_STEPS, len(_STEPS))
    if statement.kind == "label":
        found = [str(value) for value in range(1, 13) if str(value) != statement.value]
        rng.shuffle(found)
    elif statement.number is not None:
        top = 180 if statement.kind == "angle" else 360 if statement.kind == "arc" else float("inf")
        found = [_shifted(statement, step) for step in steps if 0 < statement.number + step < top]
    else:
        found = list(_other_constants(statement.value, steps))
    return list(dict.fromkeys(found))[:most]


def _shifted(statement: Statement, step: int) -> str:
    assert statement.number is not None
    decimals = len(statement.value.partition(".")[2]) if re.fullmatch(r"\d+\.\d+", statement.value) else 0
    # A root or a fraction becomes a whole number, which is at least half away from it.
    return f"{statement.number + step:.{decimals}f}" if _NUMBER.fullmatch(statement.value) else _whole(statement, step)


def _whole(statement: Statement, step: int) -> str:
    assert statement.number is not None
    return str(round(statement.number) + step + (1 if step > 0 else 0))


def _other_constants(expression: str, steps: Sequence[int]) -> Iterator[str]:
    constant = _CONSTANT.search(expression)
    if constant is None:
        return
    for step in steps:
        if int(constant[0]) + step > 0:
            yield f"{expression[: constant.start()]}{int(constant[0]) + step}"


def altered(clause: str, rng: random.Random) -> str | None:
    """A fact of kind `other` with another number or colour; None where it holds none, or several numbers."""
    numbers = list(numbers_in(clause))
    if len(numbers) == 1 and numbers[0].kind == "cardinal":
        found = numbers[0]
        return clause[: found.start] + _other_number(clause, found, rng) + clause[found.end :]
    colours = list(_COLOUR.finditer(clause))
    if len(colours) == 1 and not numbers:
        other = rng.choice([colour for colour in _COLOURS if colour != colours[0][0].lower()])
        return clause[: colours[0].start()] + other + clause[colours[0].end() :]
    return None


def _other_number(clause: str, number: Number, rng: random.Random) -> str:
    written = clause[number.start : number.end]
    digits = _DIGITS.search(written)
    if digits is None:
        size = int(number.value)
        # Never from one to many: "one dogs" is no mistake that anybody makes.
        small = [other for other in _SMALL if other != size and (other == 1) == (size == 1)]
        return in_words(rng.choice(small)) if small else "no"
    decimals = len(digits[0].partition(".")[2])
    value = float(digits[0].replace(",", ""))
    step = rng.choice([step for step in _STEPS if value + step > 1])
    other = f"{value + step:{',' if ',' in digits[0] else ''}.{decimals}f}"
    return written[: digits.start()] + other + written[digits.end() :]


def number_words(clause: str) -> str | None:
    """Its one number in the other notation: `five bicycles` as `5 bicycles`; None where it has no such number."""
    numbers = list(numbers_in(clause))
    if len(numbers) != 1 or numbers[0].kind != "cardinal":
        return None
    written, value = clause[numbers[0].start : numbers[0].end], numbers[0].value
    if not any(map(str.isdecimal, written)):
        other = str(value)
    elif written.isdecimal() and value > 1 and value in _SMALL:
        other = in_words(int(value))
    else:
        return None
    return clause[: numbers[0].start] + other + clause[numbers[0].end :]

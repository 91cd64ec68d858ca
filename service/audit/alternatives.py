"""Values that a fact does not have, and facts of kind `other` with something else in them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from perception_reward.service.audit.statements import Statement

_CONSTANT = re.compile(r"(?<=[+\-−] )\d+$")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER_WORD = re.compile(r"\b(?:" + "|".join(_WORDS) + r")\b", re.IGNORECASE)
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
    numbers = [*_NUMBER.finditer(clause), *_NUMBER_WORD.finditer(clause)]
    if len(numbers) == 1:
        found = numbers[0]
        return clause[: found.start()] + _other_number(found[0], rng) + clause[found.end() :]
    colours = list(_COLOUR.finditer(clause))
    if len(colours) == 1 and not numbers:
        other = rng.choice([colour for colour in _COLOURS if colour != colours[0][0].lower()])
        return clause[: colours[0].start()] + other + clause[colours[0].end() :]
    return None


def _other_number(written: str, rng: random.Random) -> str:
    if written.lower() in _WORDS:
        size = _WORDS.index(written.lower())
        # Never from one to many: "one dogs" is no mistake that anybody makes.
        return rng.choice([word for at, word in enumerate(_WORDS) if at != size and (at == 0) == (size == 0)] or ["no"])
    decimals = len(written.partition(".")[2])
    value = float(written)
    step = rng.choice([step for step in _STEPS if value + step > 1])
    return f"{value + step:.{decimals}f}"


def number_words(clause: str) -> str | None:
    """Its one small number in the other notation: `five bicycles` as `5 bicycles`; None where it has no such number."""
    if len(_NUMBER_WORD.findall(clause)) + len(_NUMBER.findall(clause)) != 1:
        return None
    if word := _NUMBER_WORD.search(clause):
        return clause[: word.start()] + str(_WORDS.index(word[0].lower()) + 1) + clause[word.end() :]
    digits = _NUMBER.search(clause)
    if digits is None or "." in digits[0] or not 1 < int(digits[0]) <= len(_WORDS):
        return None
    return clause[: digits.start()] + _WORDS[int(digits[0]) - 1] + clause[digits.end() :]

"""What a question says once its unknowns have their values: with the answer 7, `AB=4y-10, find y` says that AB is 18.

The values are those that the question gives (`y=7`), and the reference answer, which belongs to what is asked for. What
a response says by putting them in is read off the question, and no evidence of seeing.
"""

from __future__ import annotations

import re
from dataclasses import replace

from perception_reward.annotations.given import clauses, measures, statements_given
from perception_reward.annotations.language.quantities import Quantity, QuantityError, read_quantity
from perception_reward.annotations.statements import Statement

_LETTER = re.compile(r"[a-z]")
_ASKED = re.compile(
    r"(?:(?:[Ww]hat is|[Dd]etermine|[Cc]alculate|[Cc]ompute|[Ss]olve for) )?(?:the )?(?:value of )?(.+)"
)


def statements_filled(question: str | None, answer: str | None) -> list[Statement]:
    """The statements that hold a number only by such a value."""
    values = values_known(question, answer)
    filled = [
        replace(statement, quantity=quantity)
        for statement in statements_given(question)
        if statement.quantity is not None
        and not statement.quantity.is_number
        and (quantity := statement.quantity.at(values)) is not None
    ]
    result = _number(answer)
    return filled + ([replace(measure, quantity=result) for measure in measures(_asked(question))] if result else [])


def values_known(question: str | None, answer: str | None) -> dict[str, Quantity]:
    """The numbers of the question's letters, as far as it gives them or asks for them."""
    values = dict(filter(None, map(_assigned, clauses(question))))
    result, asked = _number(answer), _asked(question)
    if result is not None and _LETTER.fullmatch(asked):
        values[asked] = result
    return values


def _asked(question: str | None) -> str:
    """What the last clause asks for."""
    found = clauses(question)
    asked = _ASKED.fullmatch(found[-1]) if found else None
    return asked[1] if asked else ""


def _assigned(clause: str) -> tuple[str, Quantity] | None:
    """The letter and the number of `y=7`."""
    sides = [side.strip() for side in re.split(r"=| is ", clause)]
    for letter, other in (sides, sides[::-1]) if len(sides) == 2 else ():
        if _LETTER.fullmatch(letter) and (number := _number(other)) is not None:
            return letter, number
    return None


def _number(text: str | None) -> Quantity | None:
    try:
        quantity = read_quantity((text or "").strip().strip("$"))
    except QuantityError:
        return None
    return quantity if quantity.number is not None else None

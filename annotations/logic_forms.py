"""Reading logic forms such as `Equals(MeasureOf(Angle(A, B, C)), 4y-10)` into terms.

    form := name '(' form (',' form)* ')' | atom

An atom is any text without a comma or an unbalanced parenthesis: a point, a label (`angle 1`), a quantity.
Blanks around names and atoms are dropped. What the terms mean is `statements`' business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

MAX_CHARACTERS = 1000
MAX_DEPTH = 8

_HEAD = re.compile(r"\s*([A-Za-z]+)\s*\(")
_ATOM_STOP = re.compile(r"[,()]")
# Spelling that the public annotations have for the name on the right.
_MISSPELT = {"Cirle": "Circle"}


class LogicFormError(ValueError):
    """The text is no logic form, or not one with a meaning; the message says why."""


@dataclass(frozen=True, slots=True)
class Term:
    """A name with its arguments, such as `Line(A, B)`."""

    name: str
    arguments: tuple[Form, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(str(argument) for argument in self.arguments)})"


Form: TypeAlias = Term | str


def read_logic_form(text: str) -> Term:
    """The term that `text` writes. Raises `LogicFormError`; nesting is bounded by `MAX_DEPTH`."""
    if not text.strip():
        raise LogicFormError("is empty")
    if len(text) > MAX_CHARACTERS:
        raise LogicFormError(f"is longer than {MAX_CHARACTERS} characters")
    form, end = _read(text, 0, 0)
    # The public parser predictions close one parenthesis too many after an expression in parentheses.
    if text[end:].strip() not in ("", ")"):
        raise LogicFormError(f"goes on with {text[end:].strip()[:20]!r} after its last parenthesis")
    if isinstance(form, str):
        raise LogicFormError("has no name with arguments")
    return form


def _read(text: str, at: int, depth: int) -> tuple[Form, int]:
    if depth > MAX_DEPTH:
        raise LogicFormError(f"is nested deeper than {MAX_DEPTH}")
    head = _HEAD.match(text, at)
    return _read_term(text, head, depth) if head else _read_atom(text, at)


def _read_term(text: str, head: re.Match[str], depth: int) -> tuple[Term, int]:
    arguments: list[Form] = []
    at = head.end()
    while True:
        argument, at = _read(text, at, depth + 1)
        arguments.append(argument)
        at = _skip_blanks(text, at)
        if at >= len(text):
            raise LogicFormError("ends before its last parenthesis")
        at += 1
        if text[at - 1] == ")":
            return Term(_MISSPELT.get(head[1], head[1]), tuple(arguments)), at
        if text[at - 1] != ",":
            raise LogicFormError(f"has {text[at - 1]!r} where a comma or a parenthesis should be")


def _read_atom(text: str, at: int) -> tuple[str, int]:
    """Up to the comma or parenthesis that ends the atom; parentheses inside it must balance: `2(x+1)`."""
    start, open_parentheses = at, 0
    while stop := _ATOM_STOP.search(text, at):
        mark = stop[0]
        if mark == "(":
            open_parentheses += 1
        elif open_parentheses == 0:
            break
        elif mark == ")":
            open_parentheses -= 1
        at = stop.end()
    end = stop.start() if stop else len(text)
    atom = text[start:end].strip()
    if not atom:
        raise LogicFormError("has an empty argument")
    return atom, end


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at

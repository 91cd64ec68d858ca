"""Statements in words: several wordings each, in three notations, from `wordings.toml`."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

import tomllib

from perception_reward.service.audit.statements import Statement

Notation = Literal["words", "unicode", "latex"]
NOTATIONS: tuple[Notation, ...] = ("words", "unicode", "latex")
Wordings: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]

_SLOT = re.compile(r"\{([abv])\}")
_FRACTION = re.compile(r"\((\d+)/(\d+)\)")
_ROOT = re.compile(r"√\s?(\d+(?:\.\d+)?|[a-z]|\([^()]*\))")
# Elements that are the same when their points are read backwards.
_REVERSIBLE = frozenset({"length", "angle", "arc", "label", "perpendicular", "parallel", "equal_length", "equal_angle"})
_SWAPPABLE = frozenset({"perpendicular", "parallel", "equal_length", "equal_angle"})


@cache
def wordings() -> Wordings:
    """The packaged wordings: kind, then notation or `deny`, then templates."""
    text = files("perception_reward.service.audit").joinpath("wordings.toml").read_text("utf-8")
    return tomllib.loads(text)


def says(statement: Statement, notation: Notation) -> list[str]:
    """All wordings of the statement in a notation, as clauses."""
    return [_filled(template, statement, notation) for template in wordings()[statement.kind][notation]]


def denials(statement: Statement) -> list[str]:
    """Clauses that rule a relation, or a fact of kind `other`, out; none for values, whose denial is another value."""
    templates = wordings()[statement.kind].get("deny", ())
    return [_filled(template, statement, "words") for template in templates]


def reversed_names(statement: Statement) -> Statement | None:
    """The same statement with its names read backwards and, of a symmetric relation, exchanged."""
    if statement.kind not in _REVERSIBLE:
        return None
    names = [name[::-1] for name in statement.names]
    return replace(statement, names=tuple(names[::-1] if statement.kind in _SWAPPABLE else names))


def one_of(clauses: Sequence[str], rng: random.Random) -> str:
    return clauses[rng.randrange(len(clauses))]


def any_wording(statement: Statement, rng: random.Random) -> str:
    """A clause in any notation."""
    return one_of([clause for notation in NOTATIONS for clause in says(statement, notation)], rng)


def sentence(clause: str) -> str:
    """The clause as a sentence."""
    return capital(clause) + "."


def capital(clause: str) -> str:
    """The clause at a sentence's beginning; names and symbols stay as they are."""
    first = clause.partition(" ")[0]
    is_word = first == "a" or (len(first) > 1 and first.isalpha() and first.islower())
    return clause[0].upper() + clause[1:] if is_word else clause


def _filled(template: str, statement: Statement, notation: Notation) -> str:
    value = _value(statement, notation)
    a, b = ("".join(name) for name in (*statement.names, ())[:2])
    return _SLOT.sub(lambda slot: {"a": a, "b": b, "v": value}[slot[1]], template)


def _value(statement: Statement, notation: Notation) -> str:
    compound = " " in statement.value and statement.kind in ("angle", "arc")
    value = f"({statement.value})" if compound else statement.value
    if notation != "latex":
        return value
    value = _FRACTION.sub(r"\\frac{\1}{\2}", value)
    return _ROOT.sub(lambda root: rf"\sqrt{{{root[1].strip('()')}}}", value)

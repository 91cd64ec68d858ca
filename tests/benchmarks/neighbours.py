"""A fact's neighbour: the same statement with another value that the text has, or with the opposite relation."""

from __future__ import annotations

import re

_VALUE = re.compile(
    r"(?:(?<=length )|(?<=measures )|(?<=area )|(?<=of )|(?<=labelled ))(\d[^.]*?|[a-z])(?= degrees|\.$|$)"
)
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?[a-z]?(?!\w)")
_NAME = re.compile(r"[A-Z]{2,}")
_OPPOSITES = (
    ("perpendicular to", "parallel to"),
    ("parallel to", "perpendicular to"),
    ("a right angle", "an acute angle"),
    ("diameter", "radius"),
    ("is a rhombus", "is a trapezoid"),
    ("equals", "is larger than"),
    ("tangent to", "a secant of"),
)


def neighbour(fact: str, text: str) -> str | None:
    """What `text` might say instead of `fact`, or None where it offers no other value."""
    value = _VALUE.search(fact)
    if value is None:
        return next((fact.replace(one, other) for one, other in _OPPOSITES if one in fact), None)
    own = {_plain(number) for number in _NUMBER.findall(fact)}
    others = [match for match in _NUMBER.finditer(text) if _plain(match.group()) not in own]
    if not others:
        return None
    names = [at.start() for name in _NAME.findall(fact) for way in (name, name[::-1]) for at in re.finditer(way, text)]
    best = min(others, key=lambda match: min((_apart(match.start(), at) for at in names), default=match.start()))
    return fact[: value.start()] + best.group() + fact[value.end() :]


def _apart(number: int, name: int) -> int:
    """A value stands behind its name more often than ahead of it."""
    return number - name if number >= name else 3 * (name - number)


def _plain(number: str) -> str:
    return number.rstrip("abcdefghijklmnopqrstuvwxyz").removesuffix(".0")

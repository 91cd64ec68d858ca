"""Names of points and of what is named by its points: `A`, `A'`, `P_1`, `AB`, `∠A'B'C`.

points_of("A′B_{1}C")       # ("A'", 'B1', 'C')
written_points("A′B_1C")    # ('A′', 'B_1', 'C')
re.compile(NAME).findall("Then AB = CD, and Bob lies.")     # ['AB', 'CD']
"""

from __future__ import annotations

import re
from functools import lru_cache

POINT = r"[A-Z](?:_?\{?\d{1,2}\}?)?['′]{0,2}"
"""A pattern for the name of one point."""

NAME = rf"(?<![A-Za-z\\])(?:{POINT}){{1,8}}(?![A-Za-z])"
"""A pattern for a run of points that is no part of a word."""

_POINT = re.compile(POINT)
_PLAIN = str.maketrans({"_": None, "{": None, "}": None, "′": "'"})


def run_of(counts: str) -> str:
    """A pattern, with a group, for so many points: `run_of("2,3")`."""
    return rf"((?:{POINT}){{{counts}}})"


@lru_cache(maxsize=8192)
def points_of(name: str) -> tuple[str, ...]:
    """The points of a name, whichever way their numbers and primes are written."""
    return tuple(point.translate(_PLAIN) for point in _POINT.findall(name))


def written_points(name: str) -> tuple[str, ...]:
    """The points of a name as they are written there."""
    return tuple(_POINT.findall(name))


def is_point(name: str) -> bool:
    """Whether a name is that of one point."""
    return _POINT.fullmatch(name) is not None

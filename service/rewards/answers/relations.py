r"""What a text says of its unknowns: `x = 5`, `12\pi \approx 37.7`, `1 < x \le 2`, `m \in [2, \infty)`, `2x+3y = 6`.

read_equality("x = 12\pi \approx 37.7")     # names ("x",), members ("12\pi", "37.7")
read_solution("x < 3 and x > 1")            # the interval from 1 to 3, of x
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from perception_reward.annotations.language.formulas import read_formula
from perception_reward.annotations.language.nodes import Node, symbols_of
from perception_reward.service.rewards.answers.evaluation import real_value
from perception_reward.service.rewards.answers.structures import inside, read_sequence, split_top

MOST_PARTS = 8

LONGEST_NAME = 120
"""Characters."""

_relation = re.compile(r"\\(?:approx|le|ge|ne|in|equiv)(?![A-Za-z])|:=|(?<!\\)[<>=]")
_name = re.compile(
    r"(?:\\[A-Za-z]+(?![A-Za-z])|[A-Za-z]|[ '{}_,]|(?<=[A-Za-z_{])\d|\((?=[A-Za-z][A-Za-z, ]{0,40}\))|(?<=[A-Za-z])\))+"
)
_unknown = re.compile(r"\\?[A-Za-z]{1,8}(?:_\{?\w{1,3}\}?)?'?")
_no_names = frozenset({"pi", r"\pi", "e", "i", r"\infty", "infinity"})
_built = re.compile(
    r"(?:\\\{|⦃)?\s?(?P<name>\\?[A-Za-z]{1,6})\s?(?:\\in\s?\\mathbb\{[RNZQ]\})?\s?[|:]\s?(?P<rest>.*?)\s?\\?\}$"
)
_union = re.compile(r"\s?\\cup(?![A-Za-z])\s?|(?<=[)\]])\s?(?:U|or)\s?(?=[(\[])")
_REALS = {r"\mathbb{R}", r"\text{R}", "all real numbers", "all reals", "R", r"(-\infty,\infty)"}
_FLIPPED = {"<": ">", ">": "<", r"\le": r"\ge", r"\ge": r"\le"}


@dataclass(frozen=True, slots=True)
class Equality:
    """`names = members`: each member is said to be the value, up to the rounding that `\\approx` allows."""

    names: tuple[str, ...]
    members: tuple[str, ...]
    rounded: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class End:
    """An interval's end. text is empty for an infinite one."""

    text: str
    closed: bool

    @property
    def value(self) -> Any | None:
        """None where it is infinite or no number."""
        node = read_formula(self.text) if self.text else None
        return None if node is None else real_value(node)


@dataclass(frozen=True, slots=True)
class Interval:
    low: End
    high: End


@dataclass(frozen=True, slots=True)
class Solution:
    """The intervals that an unknown may be in, from low to high. name: the unknown's, empty where none is said."""

    name: str
    intervals: tuple[Interval, ...]


INFINITE = End("", False)


def relation_parts(text: str) -> tuple[list[str], list[str]]:
    """(the parts, the relation signs between them), at depth 0."""
    if _relation.search(text) is None:
        return [text], []
    found = list(split_top(text, _relation))
    return [part for _, part in found], ["=" if sign == ":=" else sign for sign, _ in found[1:]]


def is_name(text: str) -> bool:
    r"""`x`, `AB`, `\angle ABC`, `f(x)`, `\text{Area}`, `(x, y)`: what a value is given to."""
    text = text.strip()
    if not 0 < len(text) <= LONGEST_NAME or text in _no_names or _name.fullmatch(text) is None:
        return False
    formula = read_formula(text)
    return any(map(str.isalpha, text)) and (formula is None or bool(symbols_of(formula)))


def read_equality(text: str) -> Equality | None:
    """The equality chain that the whole text is, or None where it has no `=` and no `\\approx`, or another sign."""
    parts, signs = relation_parts(text)
    if not 1 <= len(signs) <= MOST_PARTS or not set(signs) <= {"=", r"\approx", r"\equiv"}:
        return None
    rounded = (False, *(sign == r"\approx" for sign in signs))
    if not parts[0]:  # `= 5`, `\approx 113`: of what is understood
        parts, rounded = parts[1:], rounded[1:]
    if not all(parts):
        return None
    names = tuple(part for part in parts if is_name(part) and not _is_value(part, parts))
    kept = [(part, close) for part, close in zip(parts, rounded, strict=True) if part not in names]
    return Equality(names, tuple(part for part, _ in kept), tuple(close for _, close in kept))


def _is_value(part: str, parts: list[str]) -> bool:
    """Of `x = y` the last is what the first is said to be."""
    return part == parts[-1] and len(parts) > 1 and all(is_name(other) for other in parts)


def same_name(one: str, other: str) -> bool:
    r"""Whether both name one unknown: `X` and `x`, `\angle ABC` and `m\angle ABC`."""
    return _bare_name(one) == _bare_name(other)


def _bare_name(name: str) -> str:
    name = re.sub(r"\\(?:text|mathrm|angle|overline)|[\s{}]", "", name)
    return name.removeprefix("m").casefold() if len(name) > 3 else name.casefold()


def read_solution(text: str) -> Solution | None:
    """The intervals that the text says an unknown is in, or that it is itself; None where it says nothing like it.

    `(1,2)` is read as an interval: whether it is one or a point, the other side tells.
    """
    text = text.strip()
    if text in _REALS or text.casefold() in _REALS or text.replace(" ", "") in _REALS:
        return Solution("", (Interval(INFINITE, INFINITE),))
    if (built := _built.fullmatch(text)) is not None and text.startswith(("\\{", "{")):
        found = read_solution(built["rest"])
        return found if found is not None and found.name == built["name"] else None
    parts = [part for _, part in split_top(text, _union)]
    if len(parts) > 1:
        return _united([read_solution(part) for part in parts])
    several = read_sequence(text)
    if several is not None and not several.brackets and all(relation_parts(item)[1] for item in several.items):
        found = [read_solution(item) for item in several.items]
        return _united(found) if several.word == "or" else _met(found)
    return _single(text)


def _single(text: str) -> Solution | None:
    parts, signs = relation_parts(text)
    if not signs:
        return _bracketed(text)
    if signs == [r"\in"] and _is_unknown(parts[0]):
        found = read_solution(parts[1])
        return None if found is None or found.name else replace(found, name=parts[0])
    if signs == [r"\ne"] and _is_unknown(parts[0]):
        end = End(parts[1], False)
        return Solution(parts[0], (Interval(INFINITE, end), Interval(end, INFINITE)))
    if not set(signs) <= _FLIPPED.keys():
        return None
    places = [place for place, part in enumerate(parts) if _is_unknown(part)]
    if len(places) != 1 or len(parts) > 3 or (len(parts) == 3 and places != [1]):
        return None
    [place] = places
    interval = Interval(INFINITE, INFINITE)
    for sign, other, is_left in _sides(parts, signs, place):
        sign = _FLIPPED[sign] if is_left else sign
        end = _end(other, sign in (r"\le", r"\ge"))
        interval = replace(interval, low=end) if sign in (">", r"\ge") else replace(interval, high=end)
    return Solution(parts[place], (interval,))


def _sides(parts: list[str], signs: list[str], place: int) -> list[tuple[str, str, bool]]:
    """(sign, other side, whether it stands left of the unknown) of each relation with the unknown."""
    found: list[tuple[str, str, bool]] = []
    if place > 0:
        found.append((signs[place - 1], parts[place - 1], True))
    if place < len(signs):
        found.append((signs[place], parts[place + 1], False))
    return found


def _is_unknown(text: str) -> bool:
    return _unknown.fullmatch(text) is not None and text not in _no_names


def _bracketed(text: str) -> Solution | None:
    brackets, _ = inside(text)
    items = read_sequence(text)
    if brackets not in ("()", "[]", "(]", "[)") or items is None or len(items.items) != 2:
        return None
    low, high = items.items
    return Solution("", (Interval(_end(low, brackets[0] == "["), _end(high, brackets[1] == "]")),))


def _end(text: str, closed: bool) -> End:
    bare = text.replace(" ", "").lstrip("+-")
    return INFINITE if bare in (r"\infty", "infty", "infinity", "oo", "inf") else End(text, closed)


def _united(found: list[Solution | None]) -> Solution | None:
    solutions = [solution for solution in found if solution is not None]
    if len(solutions) < len(found) or len(names := {solution.name for solution in solutions} - {""}) > 1:
        return None
    intervals = [interval for solution in solutions for interval in solution.intervals]
    keyed: list[tuple[Any, Interval]] = [(_low_key(interval), interval) for interval in intervals]
    if any(key is None for key, _ in keyed):
        return None
    keyed.sort(key=lambda pair: pair[0])
    return Solution(next(iter(names), ""), tuple(interval for _, interval in keyed))


def _low_key(interval: Interval) -> Any | None:
    return float("-inf") if not interval.low.text else interval.low.value


def _met(found: list[Solution | None]) -> Solution | None:
    """Where several conditions on one unknown hold together."""
    solutions = [solution for solution in found if solution is not None]
    if len(solutions) < len(found) or len({solution.name for solution in solutions}) > 1:
        return None
    if any(len(solution.intervals) > 1 for solution in solutions):
        return None
    low, high = INFINITE, INFINITE
    for solution in solutions:
        [interval] = solution.intervals
        low = _tighter(low, interval.low, lower=True)
        high = _tighter(high, interval.high, lower=False)
    if low is None or high is None:
        return None
    return Solution(solutions[0].name, (Interval(low, high),))


def _tighter(one: End | None, other: End, *, lower: bool) -> End | None:
    if one is None or not other.text:
        return one
    if not one.text:
        return other
    first, second = one.value, other.value
    if first is None or second is None:
        return None
    if first == second:
        return End(one.text, one.closed and other.closed)
    return one if (first > second) is lower else other


def difference(left: str, right: str) -> Node | None:
    """`left - right` as a formula, whose zeros the equation's solutions are; None where a side is no formula."""
    one, other = read_formula(left), read_formula(right)
    return None if one is None or other is None else Node("-", (one, other))

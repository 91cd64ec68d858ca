r"""What `math_verify.parse` finds in a text, the same, in a time that grows as the text does.

    parse("the answer is $5$")   # as math_verify.parse, without its time-out

From each place where a formula may open, math-verify's patterns look for its end. Where a response of many formulas is
cut off, or never closes them, each of them looks at all that follows. So the same patterns search a copy of the text in
which is *hidden* what cannot begin a match: `\[` and `\(` that nothing closes, boxes behind which no formula ends, and
the digits of long rows of numbers behind which no operator comes. A hidden character is a lone surrogate, which no
response holds, and the patterns take it for what it was wherever that matters. What a match holds is read from the text
itself. Text made to defeat this is slow as ever; a worker's time limit ends it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, cast

from math_verify.parser import (  # pyright: ignore[reportMissingTypeStubs]
    ExprExtractionConfig,
    LatexExtractionConfig,
    extract_target_from_pred,  # pyright: ignore[reportUnknownVariableType]
    get_extraction_regexes,
)

# What stands for `[`, `(`, the b of a box, and a digit.
_BRACKET, _PARENTHESIS, _BOX, _DIGIT = "\udc80", "\udc81", "\udc82", "\udc83"
_HIDDEN = re.compile("[\udc80-\udc83]")
# As math-verify's patterns have them, and as they have to be for a text with hidden characters.
_NO_BRACKETS, _EXPRESSION = r"[^\n\]\[]", r"[\d\.\s\+\-\*\×\/\^\(\)\÷]"

_row = re.compile(_EXPRESSION + "{32,}")
_operator = re.compile(r"[+\-*×/^()÷](?=.)", re.DOTALL)
_digit = re.compile(r"\d")

Hide = Callable[[str], str]


def parse(text: str) -> list[Any]:
    """The expressions in `text`, and the first that was read, in words."""
    try:
        return cast("list[Any]", extract_target_from_pred(text, _searches(), fallback_mode="first_match"))
    except Exception:  # as math-verify has it: what cannot be read is not there
        return []


@cache
def _searches() -> Any:
    """math-verify's patterns by what they look for, each with its priority."""
    targets = get_extraction_regexes([LatexExtractionConfig(), ExprExtractionConfig()])
    return [([(_search(pattern), priority) for pattern, priority in patterns], kind) for patterns, kind in targets]


def _search(pattern: re.Pattern[str]) -> Any:
    names = pattern.groupindex
    if "first_latexDisplayBracket" in names:
        hide = _without_dead_boxes if r"\\boxed{" in pattern.pattern else _without_dead_openings
        return _Search(pattern, pattern.pattern.replace(_NO_BRACKETS, rf"[^\n\]\[{_BRACKET}]"), hide)
    if "expr" in names and "integer1" not in names:
        spelled = pattern.pattern.replace(_EXPRESSION, _EXPRESSION[:-1] + _DIGIT + "]")
        return _Search(pattern, spelled, _without_dead_digits)
    return pattern


class _Search:
    """A pattern that is searched for in a text with hidden characters. spelled: as it has to be for these."""

    def __init__(self, pattern: re.Pattern[str], spelled: str, hide: Hide) -> None:
        self._pattern = pattern
        self._for_hidden = re.compile(spelled, pattern.flags)
        self._hide = hide

    def finditer(self, text: str) -> Iterator[Any]:
        if _HIDDEN.search(text):
            return self._pattern.finditer(text)
        return (_Match(match, text) for match in self._for_hidden.finditer(self._hide(text)))


class _Match:
    """A match, as it would be in the text without hidden characters: as much of it as math-verify asks for."""

    def __init__(self, match: re.Match[str], text: str) -> None:
        self._match = match
        self._text = text
        self.start = match.start
        self.end = match.end

    def groupdict(self) -> dict[str, str | None]:
        found = self._match.groupdict()
        spans = {name: self._match.span(name) for name, value in found.items() if value is not None}
        return {name: self._text[slice(*spans[name])] if name in spans else None for name in found}


def _without_dead_openings(text: str) -> str:
    return _replaced(text, [(place + 1, hidden) for place, _, live, hidden in _openings(text) if not live])


def _without_dead_boxes(text: str) -> str:
    """The same for formulas that hold a box. Openings without one are dead, and so are boxes that no formula ends."""
    boxes, braces = _places(text, "\\boxed{"), _places(text, "}")
    hidden: list[tuple[int, str]] = []
    for place, end, live, character in _openings(text):
        box = _first(boxes, place + 2, end)
        if not live or box is None or _first(braces, box + len("\\boxed{") + 1, end) is None:
            hidden.append((place + 1, character))
    anywhere = max(text.rfind("\\]"), text.rfind("$$"))
    start = 0
    for line in text.split("\n"):
        last = max(anywhere, start + max(line.rfind(end) for end in ("$", "\\)", "]")))
        hidden += [(box + 1, _BOX) for box in _within(boxes, start, start + len(line)) if box > last]
        start += len(line) + 1
    return _replaced(text, hidden)


def _openings(text: str) -> Iterator[tuple[int, int, bool, str]]:
    r"""Each `\[` and `\(` that may open a formula: where it is, where that ends, whether it does, and what hides it."""
    for opening, ends, character in (("[", r"\\\]", _BRACKET), ("(", r"\\\)|\n", _PARENTHESIS)):
        stops = [found.start() for found in re.finditer(ends, text)]
        for place in _places(text, "\\" + opening):
            if text[place - 1 : place] == "\\":
                continue
            position = bisect_left(stops, place + 2)
            end = stops[position] if position < len(stops) else len(text)
            yield place, end, text[end : end + 1] == "\\" and end > place + 2 and text[end - 1] != "\\", character


def _without_dead_digits(text: str) -> str:
    """An expression begins with a digit, and holds an operator that something follows."""
    parts: list[str] = []
    done = 0
    for row in _row.finditer(text):
        begin = max((found.start() for found in _operator.finditer(row[0])), default=0)
        parts += [text[done : row.start() + begin], _digit.sub(_DIGIT, row[0][begin:])]
        done = row.end()
    return "".join([*parts, text[done:]])


def _places(text: str, part: str) -> list[int]:
    return [found.start() for found in re.finditer(re.escape(part), text)]


def _first(places: list[int], start: int, end: int) -> int | None:
    return next(iter(_within(places, start, end)), None)


def _within(places: list[int], start: int, end: int) -> Iterator[int]:
    for position in range(bisect_left(places, start), len(places)):
        if places[position] >= end:
            return
        yield places[position]


def _replaced(text: str, characters: Iterable[tuple[int, str]]) -> str:
    changed = list(text)
    for place, character in characters:
        changed[place] = character
    return "".join(changed)

r"""What a data set's reference answer says, where it holds more than the answer.

read_reference("<answer> 9 </answer>")                   # ("9",)
read_reference("9 + 33 = 42 eggs.\n#### 42")             # ("42",)
read_reference("… so the area is \boxed{25}.")           # ("25",)
read_reference("4|four")                                 # ("4|four", "4", "four")
"""

from __future__ import annotations

import re

from perception_reward.service.rewards.boxes import boxes

LONGEST = 2000
"""Characters of a reference, and of an option. Of a longer one the beginning counts."""

_tagged = re.compile(r"<answer>(.*)</answer>", re.DOTALL | re.IGNORECASE)
_marked = re.compile(r"####\s*(\S[^\n]*)")
_bar = re.compile(r"\s?\|\s?")
_closed = {"(": ")", "[": "]", "{": "}"}


def read_reference(text: str) -> tuple[str, ...]:
    """The alternatives that the reference holds, of which any is right; itself where it is the answer alone."""
    if (match := _tagged.search(text)) is not None:
        text = match[1]
    if (match := _marked.search(text)) is not None:
        return (match[1].strip(),)
    if "box" in text and (found := [box for box in boxes(text) if box]):
        return (found[-1],)
    text = text.strip()[:LONGEST]
    return (text, *_alternatives(text))


def _alternatives(text: str) -> tuple[str, ...]:
    """The parts of `4|four`; none for absolute values and conditions."""
    parts = _bar.split(text)
    if not 2 <= len(parts) <= 8 or not all(parts) or "\\" in text or any(map(_is_open, parts)):
        return ()
    return tuple(parts)


def _is_open(part: str) -> bool:
    return (
        any(part.count(opening) != part.count(closing) for opening, closing in _closed.items())
        or part[-1] in "+-*/=^<>,("
    )

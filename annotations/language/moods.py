"""What a sentence does with a statement: asserts it, or negates, hedges, supposes, asks or offers it as an option.

A mood belongs to a place in the sentence. "If AB is 5, BC is 7" asserts nothing, "AB is not 5 but 7" negates one value
and asserts the other, "Since AB = 5, what is BC?" asserts AB = 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, TypeAlias

from perception_reward.annotations.language.cues import FALSE, TRUE, Cue, cues_of

Mood: TypeAlias = Literal["asserted", "weak", "negated", "hedged", "hypothetical", "question", "option"]

FACTUAL_EDGES = frozenset({"but", "since", "because", "however", "actually", "in fact", "although", "though"})
_ASKS = re.compile(
    r"[\s,;:]*(?:and |so |then |but |now )?(?:what|which|how|why|where|who|when|is|are|does|do"
    r"|did|can|could|would|should|will|has|have)\b",
    re.IGNORECASE,
)

# What a statement about a figure is never without, but for one in words alone.
_SAID = re.compile(r"[=≅∥⟂∈°\d]|\b(?:is|are|lies|has|have)\b")
# What the sentence calls false in its next clause: "AB = 5, but this turned out to be wrong".
_DISOWNED = re.compile(
    rf"(?:[,;—]|\bbut|\band) (?:\w+ )?(?:this|that|it|which) (?:\w+ ){{1,5}}?(?:{FALSE}|not {TRUE}|mistaken)(?=\W*$)",
    re.IGNORECASE,
)
# What only seemed so: "AB looks parallel to CD, but they meet".
_TAKEN_BACK = re.compile(
    r"\b(?:but|however|yet|though|although)\b,? (?:in fact|actually|really|in reality|not"
    r"|(?:they|it|this|that|these|those)(?! (?:is|are|was|were|has|have|also)\b(?! (?:not|actually|really|in fact)\b))"
    r"|(?:is|are|was|were|do|does|did|has|have|had|can)(?: not|n't))\b",
    re.IGNORECASE,
)
_OR = frozenset({"or", ", or", ",or", "(or", "( or"})


def mood_of(text: str, start: int, end: int) -> Mood:
    """The mood of what stands at [start, end) of a sentence."""
    cues = cues_of(text)
    if asks(text) and end > _question_start(text, cues):
        return "question"
    found: set[str] = {kind for kind, at, stop, _ in cues if start <= at and stop <= end and kind != "denial"}
    found |= _before(text, cues, start) | _after(cues, end)
    if end <= _disowned_to(text):
        found.add("refuted")
    if "hypothetical" in found:
        return "hypothetical"
    if "hedged" in found or ("reported" in found and "refuted" not in found):
        return "hedged"
    if ("negated" in found) != ("refuted" in found):  # that something false is denied says it
        return "negated"
    if "weak" in found:
        return "hedged" if _TAKEN_BACK.search(text, end) else "weak"
    return "asserted"


def asks(text: str) -> bool:
    """Whether a sentence ends as a question."""
    return text.rstrip(" \"')*").endswith("?")


def stretches(text: str) -> Iterator[tuple[str, Mood]]:
    """The parts of a sentence in their order, cut before and behind each cue, with the mood that reaches them; cues
    themselves are asserted."""
    last = 0
    for _, at, stop, _ in (*cues_of(text), ("", len(text), len(text), "")):
        yield text[last:at], mood_of(text, last, at)
        yield text[at:stop], "asserted"
        last = stop


def qualifies(text: str, start: int, end: int) -> bool:
    """Whether a hedge or supposition begins at [start, end), so that the words cannot be left out."""
    return any(kind in ("hedged", "hypothetical") for kind, at, _, _ in cues_of(text) if start <= at < end)


def _before(text: str, cues: tuple[Cue, ...], start: int) -> set[str]:
    """Cues ahead of a place that reach it: suppositions over the whole sentence, others inside their clause.

    An "or" hedges what follows it where something is said before it: "AB = 5 or AB = 7".
    """
    found: set[str] = set()
    same_clause, coordinated = True, False
    for kind, at, _, word in reversed(cues):
        if at >= start:
            continue
        coordinated |= word == "nor"
        if kind == "edge":
            same_clause = False
            if word in FACTUAL_EDGES:
                break
        elif kind == "refuted":
            found.add("negated" if coordinated else kind)
        elif kind in ("hypothetical", "reported") or (same_clause and (word not in _OR or at >= _said_from(text))):
            found.add("refuted" if kind == "denial" else kind)
    return found


@lru_cache(maxsize=64)
def _said_from(text: str) -> int:
    """Where the first thing is said, as far as `_SAID` knows; behind the end where nothing is."""
    said = _SAID.search(text)
    return said.end() if said else len(text) + 1


@lru_cache(maxsize=64)
def _disowned_to(text: str) -> int:
    """Up to where the sentence takes back what it says, as `_DISOWNED` knows."""
    disowned = _DISOWNED.search(text)
    return disowned.start() if disowned else -1


def _after(cues: tuple[Cue, ...], end: int) -> set[str]:
    """Cues behind a place that reach back: "… if …", "… is false"."""
    found: set[str] = set()
    for kind, at, _, word in cues:
        if at < end:
            continue
        if kind == "edge":
            break
        if kind == "hypothetical" and word in ("if", "unless", "assuming"):
            found.add(kind)
        elif kind == "denial":
            found.add("refuted")
        elif word in _OR or word in ("maybe", "perhaps", "possibly", "probably"):
            found.add("hedged")
    return found


def _question_start(text: str, cues: tuple[Cue, ...]) -> int:
    """Where the asking part begins: after the last edge that a question word follows, else at the start."""
    for kind, _, stop, _ in reversed(cues):
        if kind == "edge" and _ASKS.match(text, stop):
            return stop
    return 0

"""What a sentence is about: a page, a view, a time of a video. What is said of another page says nothing of this one.

    elsewhere("Page 2 has a total of 5.", (0, 24), Fact(id="f", text="The total is 5.", page=3))     # True

A sentence that names no place speaks of the one that was named last before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from perception_reward.service.judges.base import Verdict
from perception_reward.trainer_client.wire import Fact

# Characters before the words that carry a fact in which a place is looked for, and seconds that a time may be off.
REACH = 2000
SLACK = 1.0
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")
_PAGE = re.compile(r"\b(?:pages?|pp?\.)\s*(\d{1,6})(?:\s*(?:-|–|to|and)\s*(\d{1,6}))?", re.IGNORECASE)
_CLOCK = re.compile(r"\b(?:(\d{1,2}):)?(\d{1,3}):(\d\d(?:\.\d+)?)\b|\b(\d+(?:\.\d+)?)\s*(?:s|secs?|seconds?)\b")
_VIEW = re.compile(r"\b([a-z]+(?: [a-z0-9]+)?) view\b|\b(?:view|camera) ([a-z0-9]+)\b", re.IGNORECASE)
_NO_VIEW = frozenset({"the", "a", "this", "that", "each", "every", "in", "of", "from", "my", "our", "another", "other"})


def placed(verdict: Verdict, response: str, fact: Fact) -> Verdict:
    """`verdict`, or that the fact is absent where the words that decided speak of another place."""
    if verdict.span is None or not elsewhere(response, verdict.span, fact):
        return verdict
    # A reader of the whole may see that both places are meant.
    return replace(Verdict("absent", 0.1, None, 0.5), truncated=verdict.truncated)


def elsewhere(response: str, span: tuple[int, int], fact: Fact) -> bool:
    """Whether what stands at `span` is about another page, view or time than `fact`."""
    here: tuple[tuple[object, Callable[[str], list[bool]]], ...] = (
        (fact.page, lambda text: _on_page(text, fact.page or 0)),
        (fact.view, lambda text: _in_view(text, fact.view or "")),
        (fact.at, lambda text: _in_time(text, fact.at or (0.0, 0.0))),
    )
    return any(place is not None and _is_other(response, span, named) for place, named in here)


def _is_other(response: str, span: tuple[int, int], named: Callable[[str], list[bool]]) -> bool:
    """named: of each place that a text names, in order, whether it is the fact's."""
    start, end = span
    opening = max((found.end() for found in _SENTENCE_END.finditer(response, max(0, start - REACH), start)), default=0)
    closing = _SENTENCE_END.search(response, max(end - 1, start), end + REACH)
    found = named(response[opening : closing.end() if closing else end + REACH])
    if found:
        return not any(found)
    before = named(response[max(0, start - REACH) : opening])
    return bool(before) and not before[-1]


def _on_page(text: str, page: int) -> list[bool]:
    return [int(one[1]) <= page <= int(one[2] or one[1]) or page == int(one[1]) for one in _PAGE.finditer(text)]


def _in_view(text: str, view: str) -> list[bool]:
    wanted = _plain(view)
    names = [one[1] or one[2] for one in _VIEW.finditer(text)]
    return [wanted == _plain(name) for name in names if _plain(name)]


def _plain(view: str) -> str:
    words = [word for word in view.casefold().split() if word not in (*_NO_VIEW, "view", "camera")]
    return " ".join(words)


def _in_time(text: str, at: tuple[float, float]) -> list[bool]:
    return [at[0] - SLACK <= _seconds(one) <= at[1] + SLACK for one in _CLOCK.finditer(text)]


def _seconds(found: re.Match[str]) -> float:
    if found[4] is not None:
        return float(found[4])
    return int(found[1] or 0) * 3600 + int(found[2]) * 60 + float(found[3])

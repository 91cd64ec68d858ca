"""Reading a free-text judgement: `<info1>1</info1>`, `<info2>0</info2>`, … as the paper's judge writes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from perception_reward.service.judges.llm.template import THOUGHTS

# Part of the fingerprint: raise it with each change to what is read from the same text.
VERSION = 2

# Tags of one pair must carry the same number; what stands between them is short.
_TAG = re.compile(r"<info([0-9]{1,4})>([^<>]{0,64})</info\1>", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,32})?|\.[0-9]{1,32})")

_YES = frozenset({"yes", "true", "stated", "present", "included", "reflected"})
_NO = frozenset({"no", "false", "absent", "missing", "contradicted", "not stated", "not present"})

# Judges write a few hundred characters a fact; a reply longer than this is not one.
_LONGEST_REPLY = 1 << 20


def parse_reply(text: str, count: int, *, strict: bool) -> list[float | None]:
    """For each of `count` facts the judge's value in [0, 1], or None where it gave none that can be read.

    strict: a fact needs exactly one tag with its number, holding 0 or 1. Otherwise white space, numbers
    clipped to [0, 1] and the words of a verdict are read too, and the last of several readings holds: a judge
    that repeats the task ends with its decision. What stands in a thought is none, nor is anything behind a thought
    that was cut off.
    """
    readings: list[list[float | None]] = [[] for _ in range(count)]
    for number, content in _tags(_answered(text)[-_LONGEST_REPLY:]):
        if 1 <= number <= count:
            readings[number - 1].append(_exact(content) if strict else _lenient(content))
    if strict:
        return [found[0] if len(found) == 1 else None for found in readings]
    return [next((value for value in reversed(found) if value is not None), None) for found in readings]


def _answered(text: str) -> str:
    for opening, closing in THOUGHTS:
        text = text.rpartition(closing)[2].partition(opening)[0]
    return text


def _tags(text: str) -> Iterator[tuple[int, str]]:
    for match in _TAG.finditer(text):
        yield int(match[1]), match[2]


def _exact(content: str) -> float | None:
    return float(content) if content in ("0", "1") else None


def _lenient(content: str) -> float | None:
    content = content.strip().lower()
    if _NUMBER.fullmatch(content):
        return min(1.0, max(0.0, float(content)))
    word = content.rstrip(".!")
    return 1.0 if word in _YES else 0.0 if word in _NO else None

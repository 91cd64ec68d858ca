"""What a response only quotes: as something to be checked, "Facts to check: …", "The statement '…' is to be verified.",
or as something that is not so, "None of these holds: …", "The following statements are all false: …".

A response that copies a judge's task with the facts in it has said nothing about a figure, and one that lists facts
below their denial has not stated them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from perception_reward.annotations.language import denials

# Each phrase of `_TASK` holds one of these, so that most responses are told by a few searches.
_HINTS = (
    *("to check", "to be ", "to verify", "to judge", "check each", "check whether", "check all"),
    *("about the figure:", "does the response", "if the response", "grader ", "judge "),
    *("candidate statement", "which of th", "one of these", "one of the follow"),
)
_TASK = re.compile(
    r"\b(?:facts?|statements?|claims?|items?|information) to (?:check|verify|judge)\b"
    r"|\bto be (?:checked|verified|judged|decided|confirmed|assessed|graded)\b"
    r"|^\W*statement about the figure:|\b(?:does|if) the response (?:say|state|mention|contain)"
    r"|\b(?:grader|judge) (?:will )?(?:looks?|checks?|asks?|decides?|searche?s?)\b"
    r"|\bcheck (?:each|whether|all) of the following\b|\bcandidate statements?\b"
    r"|\bwhich of the(?:se|m| following)\b|\bone of the(?:se| following) (?:holds?|is true|applies|is right)\b",
    re.IGNORECASE,
)
# A task that goes on in a list, whatever its sentence ends with.
_LISTS = re.compile("following|candidate|which of", re.IGNORECASE)
# What a heading ends with, whose list begins below.
_OPEN = (":", ";", " that")
_ENTRY = re.compile(r"\s*(?:[-*+•>]\s|\(?\w{1,3}[.)]|<\w{1,20}>|info\d|[\"'‘“])")
_NUMBER = re.compile(r"\s*\(?\w{1,3}[.)]\s*")


def examined_of(text: str, ranges: Sequence[tuple[int, int]], denying: Set[int]) -> frozenset[int]:
    """Indices of the sentences that are to be checked, or denied: those that say so, and the entries of a list so
    headed.

    denying: indices of those that may deny something (`denials.denying`).
    """
    lowered = text.lower()
    if not (denying or any(hint in lowered for hint in _HINTS)):
        return frozenset()
    found: set[int] = set()
    heading = False
    for index, (start, end) in enumerate(ranges):
        sentence = text[start:end]
        if task := _TASK.search(sentence):
            found.add(index)
            heading = sentence.rstrip().endswith((":", ";")) or bool(_LISTS.search(task[0]))
        elif index in denying and _denies(sentence.strip()):
            found.add(index)
            heading = True
        elif heading and _goes_on(text, ranges, index):
            found.add(index)
        else:
            heading = False
    return frozenset(found)


def _denies(sentence: str) -> bool:
    """Whether a sentence says of what stands below it that it is not so."""
    if sentence.endswith(_OPEN):
        return denials.heads_list(sentence.rstrip(":; "))
    return denials.announces(sentence)


def _goes_on(text: str, ranges: Sequence[tuple[int, int]], index: int) -> bool:
    """Whether a sentence is the first below a heading, an entry of its list, or stands behind an entry's number."""
    start, end = ranges[index]
    before = text[slice(*ranges[index - 1])]
    return (
        before.rstrip().endswith(_OPEN)
        or denials.announces(before)
        or bool(_ENTRY.match(text, start, end) or _NUMBER.fullmatch(before))
    )

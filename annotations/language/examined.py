"""What a text only quotes to be checked, or calls false.

A response that copies a judge's task with the facts in it has said nothing about a figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from perception_reward.annotations.language.cues import FALSE, FALSITY, TRUE

# Each phrase of `_TASK` and `_DISOWNS` holds one of these, so that most texts and sentences are told by a few searches.
_HINTS = (
    *("to check", "to be ", "to verify", "to judge", "check each", "check whether", "check all", "grader ", "judge "),
    *("about the figure:", "does the response", "if the response", "candidate statement"),
    *("which of th", "none of th", "neither of th", "one of th", "following", "what follows"),
    *("false", "wrong", "incorrect", "untrue", "not true", "not correct", "not right", "the case"),
)
_TASK = re.compile(
    r"\b(?:facts?|statements?|claims?|items?|information) to (?:check|verify|judge)\b"
    r"|\bto be (?:checked|verified|judged|decided|confirmed|assessed|graded)\b"
    r"|^\W*statement about the figure:|\b(?:does|if) the response (?:say|state|mention|contain)"
    r"|\b(?:grader|judge) (?:will )?(?:looks?|checks?|asks?|decides?|searche?s?)\b"
    r"|\bcheck (?:each|whether|all) of the following\b|\bcandidate statements?\b"
    r"|\b(?:which|none|neither) of the(?:se|m| following)\b"
    r"|\bone of the(?:se| following) (?:holds?|is true|applies|is right)\b"
    rf"|(?P<next>\b(?:the following(?: \w+)?|what follows) (?:is|was) (?:\w+ly )?{FALSITY}\W*$)"
    rf"|\bthe following\b[^.:;]{{0,60}}\b{FALSITY}\b"
    rf"|\b(?:{FALSE}|not|den(?:y|ies)|reject(?:s|ed)?|never)\b[^.:;]{{0,40}}\bthe following\b",
    re.IGNORECASE,
)
# A task that goes on in a list, whatever its sentence ends with.
_LISTS = re.compile("following|candidate|(?:which|none|neither) of", re.IGNORECASE)
# What calls the sentence before it false.
_DISOWNS = re.compile(
    rf"\W*(?:(?:but |however, )?(?:this|that|it)(?: \w+)? (?:is|was|turn(?:s|ed) out to be) (?:\w+ly )?{FALSITY}"
    rf"|(?:verdict|judg(?:e)?ment|status): (?:{FALSE}|not {TRUE}))\W*",
    re.IGNORECASE,
)
_OPEN = (":", ";")
_ENTRY = re.compile(r"\s*(?:[-*+•>]\s|\(?\w{1,3}[.)]|<\w{1,20}>|info\d|[\"'‘“])")
_ENTRY_NUMBER = re.compile(r"\s*\(?\w{1,3}[.)]\s*")


def examined_of(text: str, ranges: Sequence[tuple[int, int]]) -> frozenset[int]:
    """Indices of the sentences, [start, end) of `text` each, that only say what is to be checked, "Facts to check: …",
    "None of these holds: …", of the entries of a list so headed, and of what the next sentence calls false."""
    if not _is_hinted(text):
        return frozenset()
    found: set[int] = set()
    heading, before = False, ""
    for index, (start, end) in enumerate(ranges):
        sentence = text[start:end]
        hinted = _is_hinted(sentence)
        if hinted and index and _DISOWNS.fullmatch(sentence):
            found.add(index - 1)
        if hinted and (task := _TASK.search(sentence)):
            found.add(index)
            heading = sentence.rstrip().endswith(_OPEN) or bool(_LISTS.search(task[0]))
            found |= {index + 1} if task["next"] and index + 1 < len(ranges) else set()
        elif heading and (before.rstrip().endswith(_OPEN) or _ENTRY.match(sentence) or _ENTRY_NUMBER.fullmatch(before)):
            found.add(index)
        else:
            heading = False
        before = sentence
    return frozenset(found)


def _is_hinted(text: str) -> bool:
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS)

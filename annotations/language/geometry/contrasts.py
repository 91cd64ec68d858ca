"""What a sentence says in second place of the same subject, as the plain sentence that it stands for.

    list(readings("AB is a chord, not a diameter."))     # ['AB is          not a diameter.']

Blanks take the place of what lies between, so that places in a reading are places in the sentence:

- a contrast: "AB is 7, not 5"; "AB is parallel rather than perpendicular to CD"; "AB is a chord that is no diameter"
- a correction: "AB is not 7 but 5"
- an aside: "AB, the longest side, is 5"
- a pronoun for the subject: "AB cuts the circle, so it is not tangent to it"

Every pattern is bounded, so that the work is linear in the sentence's length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from perception_reward.annotations.language.moods import qualifies

# A sentence has at most so many second readings.
MAX_READINGS = 8

_NAME = r"(?:[∠△⊙] ?)?(?:[A-Z][0-9]?'*){1,4}|(?:\d+(?:\.\d+)?|sqrt\(\d+\))(?: ?(?:°|degrees|units|cm|m))?"
_SAID = rf"(?:{_NAME}|[a-z][a-z' -]{{1,40}}?)"
_VERB = r"(?:is|are|was|were|be|has|have|equals?|measures?|=|runs?|lies)"
_DENIES = r"(?:not|never|no|neither|rather than|instead of|(?:is|are|was|were|does|do)n't)\b"
_AGAIN = r"(?:,? ?\b(?:and|but|yet|so|that|which|it|they|is|are|hence|therefore|thus|of course)\b|,){0,4}"
# Each blanks its one group.
_PATTERNS = (
    re.compile(rf"(?<![\w']){_VERB} (?P<gone>{_SAID}{_AGAIN}) (?={_DENIES})"),
    re.compile(rf"(?P<gone>(?:\bnot|n't) {_SAID}(?:,? but(?: it| they)?(?: is\b| are\b)?|, it is|, they are)) "),
    re.compile(rf"[A-Z0-9')](?P<gone>,(?: [a-z][a-z' -]{{2,60}},)?) (?={_VERB} |marked |labell?ed )"),
    re.compile(
        r"[A-Z'](?P<gone> [a-z][a-z' -]{2,60}(?:,|;| and| but)"
        r"(?: so| and| but| hence| thus| therefore)?,? (?:it|they)) "
        rf"(?={_VERB}\b|{_DENIES}|cannot|can't|does|do)"
    ),
)
_WORTH = re.compile(r"\b(?:not|no|never|neither|rather|instead|it|they)\b|n't|,")


def readings(text: str) -> Iterator[str]:
    """The sentence once for each second thing that it says of a subject, all else between blanked."""
    if not _WORTH.search(text):
        return
    number = 0
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span("gone")
            if qualifies(text, start, end):
                continue
            yield text[:start] + " " * (end - start) + text[end:]
            number += 1
            if number >= MAX_READINGS:
                return

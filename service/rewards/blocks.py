"""The think and answer blocks of a response, as character spans, and the contents of `\\boxed{…}`.

Linear in the response's length, whatever stands in it: tags that are nested, repeated, never closed or never opened
cost nothing more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from perception_reward.trainer_client.tokens import Opened

Span = tuple[int, int]
Thought = Literal["none", "opened", "unopened", "reopened"]

_OPEN, _CLOSE = "<think>", "</think>"

MOST_ANSWERS = 100
"""Answer blocks that are listed. Two are too many already."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Where the parts of `response` lie. Spans are [start, end) and hold a block's content without its tags.

    think: from the first `<think>`, or from the start where the prompt opened the thought or only the closing tag was
    written, to the last `</think>`; to the end where it is never closed; None without any think tag.
    answers: the closed answer blocks behind the thinking, in order, at most `MOST_ANSWERS`. The innermost where they
    nest.
    visible: where the thinking is over, to the end.
    """

    response: str
    think: Span | None
    answers: tuple[Span, ...]
    visible: Span

    @property
    def think_text(self) -> str | None:
        return None if self.think is None else self.response[slice(*self.think)]

    @property
    def answer_texts(self) -> tuple[str, ...]:
        return tuple(self.response[slice(*span)] for span in self.answers)

    @property
    def visible_text(self) -> str:
        return self.response[slice(*self.visible)]


def split_blocks(response: str, opened: Opened = "") -> Blocks:
    """Finds the blocks. Never raises; linear in the response's length.

    opened: what the prompt had already written of the response.

    What stands before the last `</think>` is thought, so an answer block there is none. A thought that is never closed
    reaches to the end, also one that is opened again behind an answer: there are no answers then, and `visible` is
    empty.
    """
    first, last = response.find(_OPEN), response.rfind(_OPEN)
    closed, end = response.rfind(_CLOSE), len(response)
    begun = opened == "<think>"
    if last > closed or (begun and closed < 0):
        return Blocks(response, (0 if begun else first + len(_OPEN), end), (), (end, end))
    if closed < 0:
        return Blocks(response, None, _closed_answers(response, 0), (0, end))
    visible = closed + len(_CLOSE)
    begin = 0 if begun or not 0 <= first < closed else first + len(_OPEN)
    return Blocks(response, (begin, closed), _closed_answers(response, visible), (visible, end))


def thought_tags(response: str, opened: Opened = "") -> Thought:
    """What the response's first tag of a thought does: there is `none`; it is as it should be (`opened`, or closes what
    the prompt opened); it closes what nobody has opened; it opens again what the prompt has opened."""
    first, closed = response.find(_OPEN), response.find(_CLOSE)
    if first < 0 and closed < 0:
        return "none"
    opens = first >= 0 and (closed < 0 or first < closed)
    if opened == "<think>":
        return "reopened" if opens else "opened"
    return "opened" if opens else "unopened"


def _closed_answers(response: str, position: int) -> tuple[Span, ...]:
    """From `position` on, what stands between each closing tag and the last opening tag before it, if that is new."""
    opening, closing = "<answer>", "</answer>"
    answers: list[Span] = []
    while len(answers) < MOST_ANSWERS:
        opened = response.find(opening, position)
        closed = response.find(closing, opened) if opened >= 0 else -1
        if closed < 0:
            break
        answers.append((response.rfind(opening, opened, closed) + len(opening), closed))
        position = closed + len(closing)
    return tuple(answers)


LOOKED_AT_CHARACTERS = 100_000
"""A text's end that is searched. Longer texts are attacks, and this runs in the event loop."""

BOXES = ("\\boxed", "\\fbox")

_token = re.compile(
    r"\\(?:fbox|boxed)\s{0,8}\{|\\(?:fbox|boxed)\s{0,8}(?P<bare>[+-]?\d{1,20}(?:\.\d{1,20})?|[A-Za-z](?![A-Za-z]))"
    r"|\\[^a-zA-Z]|[{}]"
)


def boxes(text: str) -> tuple[str, ...]:
    r"""What the closed outermost boxes hold, stripped, in order. Escaped braces (`\{`) do not count.

    A box without braces (`\boxed 5`) holds the number or letter behind it. A box that is never closed holds nothing.
    Linear in the text's length, without recursion.
    """
    return _boxes(text[-LOOKED_AT_CHARACTERS:])


# An answer's boxes are looked for when it is extracted, and again when its form is rewarded. Four texts of a bounded
# length are kept, not whole responses.
@lru_cache(maxsize=4)
def _boxes(text: str) -> tuple[str, ...]:
    first = text.find("box")
    found: list[tuple[int, int]] = []
    opened: list[int | None] = []  # where a box's content begins; None for every other brace
    for match in _token.finditer(text, max(0, first - 2)) if first >= 0 else ():
        token = match.group()
        if match["bare"] is not None:
            found.append(match.span("bare"))
        elif token == "{":
            opened.append(None)
        elif len(token) > 2:
            opened.append(match.end())
        elif token == "}" and opened and (begin := opened.pop()) is not None:
            while found and found[-1][0] > begin:
                found.pop()
            found.append((begin, match.start()))
    return tuple(text[begin:end].strip() for begin, end in found)


def opens_box(text: str) -> bool:
    """Whether a box is opened, be it ever closed or not."""
    return _opened.search(text[-LOOKED_AT_CHARACTERS:]) is not None


_opened = re.compile(r"\\(?:fbox|boxed)\s{0,8}\{")

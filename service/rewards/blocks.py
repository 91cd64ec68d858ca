"""The think and answer blocks of a response, as character spans.

One pass over the tags, so linear in the response's length, whatever stands in it: tags that are nested, repeated,
never closed or never opened cost nothing more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Span = tuple[int, int]

_tag = re.compile(r"<(/?)(think|answer)>")


@dataclass(frozen=True, slots=True)
class Blocks:
    """Where the parts of `response` lie. Spans are [start, end) and hold a block's content without its tags.

    think: from the first `<think>`, or from the start where only the closing tag was written, to the last
    `</think>`; to the end where it is never closed; None without any think tag.
    answers: the closed answer blocks behind the thinking, in order. Where they nest, the innermost.
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


def split_blocks(response: str) -> Blocks:
    """Finds the blocks. Never raises; linear in the response's length.

    What stands before the last `</think>` is thought, so an answer block there is none. Where `<think>` is never
    closed, answer blocks still count, but nothing else does: `visible` is then empty.
    """
    opened: int | None = None
    closed: Span | None = None
    start: int | None = None
    answers: list[Span] = []
    for tag in _tag.finditer(response):
        closing, name = tag.groups()
        if name == "think" and closing:
            closed = tag.span()
            start = None
            answers.clear()
        elif name == "think":
            opened = tag.end() if opened is None else opened
        elif not closing:
            start = tag.end()
        elif start is not None:
            answers.append((start, tag.start()))
            start = None
    end = len(response)
    if closed is not None:
        begin = opened if opened is not None and opened <= closed[0] else 0
        return Blocks(response, (begin, closed[0]), tuple(answers), (closed[1], end))
    if opened is not None:
        return Blocks(response, (opened, end), tuple(answers), (end, end))
    return Blocks(response, None, tuple(answers), (0, end))

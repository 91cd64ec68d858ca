"""The think and answer blocks of a response, as character spans.

Linear in the response's length, whatever stands in it: tags that are nested, repeated, never closed or never opened
cost nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[int, int]

MOST_ANSWERS = 100
"""Answer blocks that are listed. Two are too many already."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Where the parts of `response` lie. Spans are [start, end) and hold a block's content without its tags.

    think: from the first `<think>`, or from the start where only the closing tag was written, to the last
    `</think>`; to the end where it is never closed; None without any think tag.
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


def split_blocks(response: str) -> Blocks:
    """Finds the blocks. Never raises; linear in the response's length.

    What stands before the last `</think>` is thought, so an answer block there is none. Where `<think>` is never
    closed, answer blocks still count, but nothing else does: `visible` is then empty.
    """
    opened = response.find("<think>")
    closed = response.rfind("</think>")
    end = len(response)
    visible = closed + len("</think>") if closed >= 0 else 0 if opened < 0 else end
    answers = _closed_answers(response, visible if closed >= 0 else 0)
    if closed >= 0:
        begin = opened + len("<think>") if 0 <= opened < closed else 0
        return Blocks(response, (begin, closed), answers, (visible, end))
    think = (opened + len("<think>"), end) if opened >= 0 else None
    return Blocks(response, think, answers, (visible, end))


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

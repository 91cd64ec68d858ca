r"""The one answer that a response gives, or None where it gives none or hedges.

1. The answer block behind the thinking. Several blocks hedge: none.
2. Without one, the last `\boxed{}` behind the thinking: a policy starts without the template.
3. Without that, what the last line that says "the answer is …" says, or the line behind "Answer:".

A base model runs on and asks itself a next question (`Question:`, `Human:` or `User:` at the beginning of a line, the
words at which few-shot evaluations stop). What stands behind it answers another question, and neither 2. nor 3. look
there. Inside an answer block the boxes count if there are any, else the block's whole text; a box that is never closed
is no answer. Boxes with different contents are kept together, as a list: `\boxed{14} or \boxed{15}` is "14, 15", which
no single reference equals. What a sentence behind the boxes says to be the answer comes before them, in a block or not.
A box in the think block neither supplies nor spoils an answer, and a thought without an end has none: neither a box
nor an answer block in it is what the policy would have said in the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from perception_reward.service.rewards.blocks import BOXES, boxes, opens_box, split_blocks
from perception_reward.trainer_client.tokens import Opened

SENTENCE_CHARACTERS = 300
"""How far from the end "the answer is …" is looked for."""

_colon = r"[ \t*]*[:：][ \t*]*(?:\n[ \t]*){0,2}"
_says = re.compile(
    rf"(?:\banswer(?:{_colon}|[ \t*]*is\b(?:{_colon})?)|答案[ \t*]*(?:[是为]|{_colon}))[ \t]*([^\n]+)", re.IGNORECASE
)
_emphasis = re.compile(r"(?<=\S)\*{2,3}(?=[\s.,;:!?)]|$)|(?<!\S)\*{2,3}(?=\S)")
_next_question = re.compile(r"\n[ \t]*(?:Question|Human|User)[ \t]*[:：]")


def extract_answer(response: str, opened: Opened = "") -> str | None:
    """The answer's text, stripped and never empty; None without one answer. Linear in the response's length.

    opened: what the prompt had already written of the response.
    """
    blocks = split_blocks(response, opened)
    if len(blocks.answers) > 1:
        return None
    if blocks.answers:
        [text] = blocks.answer_texts
        closed = boxes(text)
        return _behind_boxes(text) or _all(closed) or (None if not closed and opens_box(text) else text.strip() or None)
    said = before_next_question(blocks.visible_text)
    return _behind_boxes(said) or _last_box(said) or _sentence(said)


def before_next_question(text: str) -> str:
    """The text up to where it asks itself a next question. A question that it begins with is its own."""
    following = _next_question.search(text, len(text) - len(text.lstrip()))
    return text if following is None else text[: following.start()]


def _all(closed: Sequence[str]) -> str | None:
    distinct = list(dict.fromkeys(filter(None, closed)))
    return ", ".join(distinct) or None


def _last_box(text: str) -> str | None:
    return next((box for box in reversed(boxes(text)) if box), None)


def _behind_boxes(text: str) -> str | None:
    """What the last sentence behind the last box says to be the answer, if one does."""
    place = max(map(text.rfind, BOXES))
    end = text.find("}", place)
    return None if place < 0 or end < 0 else _sentence(text[end:])


def _sentence(text: str) -> str | None:
    found = [match.group(1) for match in _says.finditer(text[-SENTENCE_CHARACTERS:])]
    return (_emphasis.sub("", found[-1]).strip(" \t\r*:") or None) if found else None

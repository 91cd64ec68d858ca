"""The part of a response that a judge reads: all of it, its thinking, or one tagged block."""

from __future__ import annotations

import re
from dataclasses import dataclass

from perception_reward.service.rewards.blocks import split_blocks
from perception_reward.trainer_client.tokens import Opened

WHOLE = "response"
THINK = "think"

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`text` stands in the response from the character `start` on."""

    text: str
    start: int


def is_scope(scope: str) -> bool:
    """Whether `excerpt` can take this scope: `response`, `think`, or the name of a tag."""
    return _TAG.fullmatch(scope) is not None


def excerpt(response: str, scope: str, opened: Opened = "") -> Excerpt | None:
    """What of `response` is to be judged, or None where it has no such part. Linear in the response's length.

    scope: `response` for all of it; `think` for the thinking as the format reward finds it, which reaches to the end
    where it is never closed; otherwise the name of a tag, such as `description`, for what stands between the first
    closing tag and the last opening tag before it. opened: what the prompt had already written of the response.
    """
    if scope == WHOLE:
        return Excerpt(response, 0)
    span = split_blocks(response, opened).think if scope == THINK else _block(response, scope)
    return None if span is None else Excerpt(response[slice(*span)], span[0])


def _block(response: str, tag: str) -> tuple[int, int] | None:
    opening, closing = f"<{tag}>", f"</{tag}>"
    first = response.find(opening)
    end = response.find(closing, first) if first >= 0 else -1
    return None if end < 0 else (response.rfind(opening, first, end) + len(opening), end)

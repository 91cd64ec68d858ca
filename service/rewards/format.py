"""The format reward: a think block, then an answer block with its result in a box.

    <think>…</think>
    <answer>… \\boxed{5} …</answer>

This is the "think, then answer" template of Perception-R1 (arXiv 2506.07218). White space, line ends of any
kind and empty thoughts are free, and a thought that the prompt opened counts as if the response had opened it. All
else is exact, because a reader downstream must find one answer: each of the four tags stands once, only white space
stands outside the blocks, and the box is closed and not blank.
"""

from __future__ import annotations

from perception_reward.service.rewards.blocks import boxes
from perception_reward.trainer_client.tokens import Opened

_template = ("<think>", "</think>", "<answer>", "</answer>")


def format_reward(response: str, opened: Opened = "") -> float:
    """1.0 if the response has the form, else 0.0. Linear in the response's length.

    opened: what the prompt had already written of the response.
    """
    answer = _answer_block(opened + response)
    return 1.0 if answer is not None and any(boxes(answer)) else 0.0


def _answer_block(response: str) -> str | None:
    """What stands between the answer tags of a response that has just the two blocks."""
    if any(response.count(tag) != 1 for tag in _template):
        return None
    rest = response
    between: list[str] = []
    for tag in _template:
        before, found, rest = rest.partition(tag)
        if not found:
            return None
        between.append(before)
    outside = (between[0], between[2], rest)
    return None if any(text.strip() for text in outside) else between[3]

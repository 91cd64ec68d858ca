"""What a response's text alone says: its format, its repetition and its answer, read once for recent responses.

Trainers send a response again when they retry or log, and groups repeat themselves; reading it is then what is left
of a cached score's time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from perception_reward.service.profiles.model import Mode
from perception_reward.service.rewards.blocks import Thought, thought_tags
from perception_reward.service.rewards.rules import RULES
from perception_reward.trainer_client.tokens import Opened

# Entries hold digests, two numbers and a short answer: some 500 bytes each, 8 MB in all.
MOST_READINGS = 16384
# A longer answer is the whole of a response that ignores the template; it is not worth its memory.
LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """format: 0 or 1. repetition: from -2 to 0. answer: what would be graded; None where there is none. thought: how
    the response's first tag of a thought fits what the prompt had written."""

    format: float
    repetition: float
    answer: str | None
    thought: Thought


class Readings:
    """The most recent readings, by content."""

    def __init__(self) -> None:
        self._recent: OrderedDict[tuple[Mode, Opened, bytes], Reading] = OrderedDict()

    def read(self, text: str, digest: bytes, mode: Mode, opened: Opened = "") -> Reading:
        """The reading of `text`, whose digest is `digest`. opened: what the prompt had already written of it."""
        key = (mode, opened, digest)
        reading = self._recent.get(key)
        if reading is not None:
            self._recent.move_to_end(key)
            return reading
        rules = RULES[mode]
        reading = Reading(
            rules.format(text, opened), rules.repetition(text), rules.answer(text, opened), thought_tags(text, opened)
        )
        if reading.answer is None or len(reading.answer) <= LONGEST_ANSWER:
            self._recent[key] = reading
            if len(self._recent) > MOST_READINGS:
                self._recent.popitem(last=False)
        return reading

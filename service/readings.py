"""What a response's text alone says: its format, its repetition and its answer, read once for recent responses.

Trainers send a response again when they retry or log, and groups repeat themselves; reading it is then what is left
of a cached score's time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from perception_reward.service.profiles.model import Mode
from perception_reward.service.rewards.rules import RULES

# Entries hold digests, two numbers and a short answer: some 500 bytes each, 8 MB in all.
MOST_READINGS = 16384
# A longer answer is the whole of a response that ignores the template; it is not worth its memory.
LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """format: 0 or 1. repetition: from -2 to 0. answer: what would be graded; None where there is none."""

    format: float
    repetition: float
    answer: str | None


class Readings:
    """The most recent readings, by content."""

    def __init__(self) -> None:
        self._recent: OrderedDict[tuple[Mode, bytes], Reading] = OrderedDict()

    def read(self, text: str, digest: bytes, mode: Mode) -> Reading:
        """The reading of `text`, whose digest is `digest`."""
        key = (mode, digest)
        reading = self._recent.get(key)
        if reading is not None:
            self._recent.move_to_end(key)
            return reading
        rules = RULES[mode]
        reading = Reading(rules.format(text), rules.repetition(text), rules.answer(text))
        if reading.answer is None or len(reading.answer) <= LONGEST_ANSWER:
            self._recent[key] = reading
            if len(self._recent) > MOST_READINGS:
                self._recent.popitem(last=False)
        return reading

"""What a response's text alone says: the components that need no more, and its answer; read once for recent responses.

Trainers send a response again when they retry or log, and groups repeat themselves; reading it is then what is left
of a cached score's time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from perception_reward.service.judges.base import Missing
from perception_reward.service.rewards.blocks import Thought, thought_tags
from perception_reward.service.rewards.component import Component, Mode, Sample, Value
from perception_reward.service.rewards.registry import answer_of
from perception_reward.trainer_client.tokens import Opened

# Entries hold digests, some numbers and a short answer: some 500 bytes each, a thirtieth of the cache's memory.
READINGS_A_MIB = 64
# A longer answer is the whole of a response that ignores the template; it is not worth its memory.
LONGEST_ANSWER = 200
# Of a component that nobody has computed yet. One that failed is computed again when its response comes again.
_UNREAD = Missing("component_failed")


@dataclass(frozen=True, slots=True)
class Reading:
    """answer: what would be graded; None where there is none. thought: how the response's first tag of a thought fits
    what the prompt had written. values: the components that were asked of it, by name."""

    answer: str | None
    thought: Thought
    values: dict[str, Value] = field(default_factory=dict[str, Value])


class Readings:
    """The most recent readings, by content."""

    def __init__(self, most: int = 256 * READINGS_A_MIB) -> None:
        self._most = most
        self._recent: OrderedDict[tuple[Mode, Opened, bytes], Reading] = OrderedDict()

    def read(
        self, text: str, digest: bytes, mode: Mode, opened: Opened = "", components: Sequence[Component] = ()
    ) -> Reading:
        """The reading of `text`, whose digest is `digest`, with those of `components` that need the text alone.

        opened: what the prompt had already written of it.
        """
        reading = self._reading(text, (mode, opened, digest))
        sample = None
        for component in components:
            if component.needs == "text" and isinstance(reading.values.get(component.name, _UNREAD), Missing):
                sample = sample or Sample(text, opened, mode)
                reading.values[component.name] = component.of(sample)
        return reading

    def _reading(self, text: str, key: tuple[Mode, Opened, bytes]) -> Reading:
        reading = self._recent.get(key)
        if reading is not None:
            self._recent.move_to_end(key)
            return reading
        mode, opened, _ = key
        reading = Reading(answer_of(text, opened, mode), thought_tags(text, opened))
        if reading.answer is None or len(reading.answer) <= LONGEST_ANSWER:
            self._recent[key] = reading
            if len(self._recent) > self._most:
                self._recent.popitem(last=False)
        return reading

"""Whether the responses of a run open their thoughts where its prompts do not.

A template that writes `<think>` into the prompt leaves responses that only close it, and without a `prefix` the format
of all of them is 0. One response proves nothing, so a run's recent responses are counted.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable

from perception_reward.service.rewards.blocks import Thought
from perception_reward.service.scoring.readings import Reading

# Runs that are counted: the most recent ones.
MOST_RUNS = 1024
# Responses from which on anything is said, and the share of them that is nearly all.
LEAST, SHARE = 16, 0.9
# Responses beyond which older ones count for half, and for less and less.
RECENT = 512

TEXTS: dict[Thought, str] = {
    "unopened": (
        "nearly all responses close a thought that they never opened, so their format is 0: the prompt's template "
        "seems to open it. Say so with prefix, of the items or of the request: prefix='<think>' in the client, or "
        "PERCEPTION_REWARD_PREFIX='<think>'; in the URL of a trainer that speaks only HTTP, ?prefix=%3Cthink%3E"
    ),
    "reopened": (
        "nearly all responses open a thought that prefix says the prompt had opened, so their format is 0: leave "
        "prefix (PERCEPTION_REWARD_PREFIX) unset where the template opens no thought"
    ),
}


class Thoughts:
    """Counts by run, for a bounded number of runs. Runs without a label are one."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str | None, dict[Thought, float]] = OrderedDict()

    def concerns(self, run: str | None, readings: Iterable[Reading]) -> dict[str, str]:
        """Count more responses of `run`: what is likely a mistake in it now, by what it is about.

        Responses with neither a thought's tag nor an answer do not count: they were cut short.
        """
        found: Counter[Thought] = Counter(
            said.thought for said in readings if said.thought != "none" or said.answer is not None
        )
        known = self._runs.setdefault(run, {})
        self._runs.move_to_end(run)
        if len(self._runs) > MOST_RUNS:
            self._runs.popitem(last=False)
        for thought, number in found.items():
            known[thought] = known.get(thought, 0.0) + number
        total = sum(known.values())
        concerns = {
            f"thoughts {thought}": text
            for thought, text in TEXTS.items()
            if total >= LEAST and known.get(thought, 0.0) >= SHARE * total
        }
        if total > RECENT:
            known.update({thought: number * RECENT / 2 / total for thought, number in known.items()})
        return concerns

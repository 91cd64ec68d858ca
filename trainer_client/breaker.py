"""Stops a run whose scores are mostly missing: training on the rest would be training on noise."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from perception_reward.trainer_client.errors import TooManyMissing

if TYPE_CHECKING:
    from perception_reward.trainer_client.wire import ItemResult


logger = logging.getLogger(__name__)


class Breaker:
    """Watches the last `window` scores of one process, or those of one call where they are more.

    Any thread may tell it of more. What is missing is logged with its reasons, at the 1st, 2nd, 4th, 8th, … time: some
    trainers show no more of it than a sample less.
    """

    def __init__(self, limit: float, window: int) -> None:
        self._limit = limit
        self._reasons: deque[str | None] = deque(maxlen=window)
        self._window = window
        self._all = 0
        self._missing: Counter[str] = Counter()
        self._next_told = 1
        self._lock = threading.Lock()

    def record(self, results: Sequence[ItemResult]) -> None:
        """Count `results`; `TooManyMissing` where more than `limit` of what is watched is missing."""
        found = [None if result.score is not None else result.reason or "unknown" for result in results]
        with self._lock:
            self._reasons.extend(found)
            self._tell_of(found)
            # One outage in a long call would fill the window, however much of that call went well.
            watched = found if len(found) > self._window else list(self._reasons)
        reasons = Counter(reason for reason in watched if reason is not None)
        if len(watched) >= self._window and reasons.total() > self._limit * len(watched):
            raise TooManyMissing(_tell(reasons, len(watched), self._limit))

    def _tell_of(self, found: Sequence[str | None]) -> None:
        self._all += len(found)
        self._missing.update(reason for reason in found if reason is not None)
        count = self._missing.total()
        if count >= self._next_told:
            self._next_told = 1 << count.bit_length()
            told = _listed(self._missing)
            logger.warning("perception_reward: %d of the %d scores so far are missing (%s)", count, self._all, told)


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())


def _tell(reasons: Counter[str], watched: int, limit: float) -> str:
    told = _listed(reasons)
    return (
        f"{reasons.total()} of the last {watched} scores are missing ({told}); the limit is {limit:.0%}. Look at the "
        "service's log and at GET /v1/judge; missing_limit (PERCEPTION_REWARD_MISSING_LIMIT) sets the limit, "
        "and 1 lets the run go on whatever happens."
    )

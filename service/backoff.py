"""How long to leave something alone that has just failed: doubling delays with jitter, up to a cap."""

from __future__ import annotations

import random


class Backoff:
    """Delays in seconds: about `first`, twice that, four times, … never above `cap`.

    Each delay is drawn from the upper half of its range, so that replicas which lost the same server do not
    come back to it in step.
    """

    def __init__(self, first: float, cap: float) -> None:
        self._first = first
        self._cap = cap
        self._failures = 0

    def next(self) -> float:
        """The delay after one more failure."""
        # 2 ** 32 is past every sensible cap; without the limit the power grows for as long as the outage.
        delay = min(self._cap, self._first * 2 ** min(self._failures, 32))
        self._failures += 1
        return delay * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Forget the failures: it works again."""
        self._failures = 0

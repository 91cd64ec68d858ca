"""What a function's payloads ordinarily take: how many make a chunk, and after how long one of them is a long one."""

from __future__ import annotations

import math

# The first try before anything is known, and what a payload is left alone for in any case: a hundred times what grading
# one answer takes, and ten times what a process more costs, which has to touch all its memory first.
FIRST_TRY_SECONDS = 0.3

# A round trip to a worker is to be small beside the chunk, and the chunk small beside what a caller waits.
CHUNK_SECONDS, CHUNK_MOST = 0.05, 32


class History:
    """What a function's payloads ordinarily take, from those that were done lately."""

    # Seconds of work that are remembered, so that one odd payload says little, and a new kind is known soon.
    REMEMBERED = 30.0
    # A first try is long enough for payloads that make up so much of the work.
    ORDINARY = 0.75
    # And a little longer, as its like may vary.
    SLACK = 1.5

    def __init__(self) -> None:
        self.mean: float | None = None
        # Seconds of work by how often the first try has to be doubled for it.
        self._work: list[float] = [0.0]

    @property
    def first_try(self) -> float:
        """Seconds after which a payload is long."""
        enough, seen = self.ORDINARY * sum(self._work), 0.0
        for doubled, work in enumerate(self._work):
            seen += work
            if seen >= enough:
                return FIRST_TRY_SECONDS * 2**doubled
        return FIRST_TRY_SECONDS

    @property
    def chunk(self) -> int:
        """How many payloads make a chunk."""
        return CHUNK_MOST if self.mean is None else max(1, int(CHUNK_SECONDS / max(self.mean, 1e-6)))

    def observe(self, seconds: float) -> None:
        """A payload was done after computing for so long."""
        self.mean = seconds if self.mean is None else 0.9 * self.mean + 0.1 * seconds
        doubled = max(0, math.ceil(math.log2(max(seconds * self.SLACK, 1e-9) / FIRST_TRY_SECONDS)))
        self._work += [0.0] * (doubled + 1 - len(self._work))
        self._work[doubled] += seconds
        if sum(self._work) > self.REMEMBERED:
            self._work = [work / 2 for work in self._work]

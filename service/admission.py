"""Who gets in: a bound on the items under way, and the door that closes when the service is asked to stop."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Generator
from contextlib import contextmanager

# Retry-After, in seconds: below 1 callers would only spin, above 30 a freed service would stand idle.
RETRY_SOONEST, RETRY_LATEST = 1, 30
# Weight of the newest request in the running mean of how long requests take.
NEWEST = 0.2


class Overloaded(Exception):
    """Too much is asked at once, as `detail` says; try again in `seconds`."""

    def __init__(self, detail: str, seconds: int) -> None:
        super().__init__(f"{detail}; try again in {seconds} s")
        self.retry_after = seconds


def retry_after(seconds: float) -> int:
    """What a header says of a wait: whole seconds, within bounds."""
    return min(max(math.ceil(seconds), RETRY_SOONEST), RETRY_LATEST)


class Admission:
    """Counts the items and the requests under way. One per event loop."""

    def __init__(self, max_pending_items: int) -> None:
        self._limit = max_pending_items
        self._mean_seconds = float(RETRY_SOONEST)
        self._idle = asyncio.Event()
        self._idle.set()
        self.pending_items = 0
        self.requests = 0
        self.draining = False  # the service is asked to stop: what is new goes elsewhere
        self.stopped = False  # its time to finish is over: what is under way is cancelled

    @contextmanager
    def admit(self, items: int) -> Generator[None]:
        """Hold places for `items` items; `Overloaded` when there are not enough."""
        if self.pending_items + items > self._limit:
            raise Overloaded(
                f"{self.pending_items} items are under way and at most {self._limit} may be",
                retry_after(self._mean_seconds),
            )
        started = time.monotonic()
        self.pending_items += items
        try:
            yield
        finally:
            self.pending_items -= items
            self._mean_seconds += NEWEST * (time.monotonic() - started - self._mean_seconds)

    @contextmanager
    def request(self) -> Generator[None]:
        """Count one HTTP request as under way, so that a stop can wait for it."""
        self.requests += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.requests -= 1
            if self.requests == 0:
                self._idle.set()

    async def drained(self) -> None:
        """Return once no request is under way."""
        await self._idle.wait()

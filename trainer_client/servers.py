"""Which server is asked next: the one with the least to do of those that have not just failed."""

from __future__ import annotations

import random
from collections.abc import Sequence

# Seconds that a server is left alone after its first failure in a row, and after its latest.
FIRST_REST, LONGEST_REST = 1.0, 30.0


class Server:
    """What one event loop knows of one server. Times are the loop's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.under_way = 0
        self.rests_until = 0.0
        # None until it has answered a compressed body.
        self.reads_gzip: bool | None = None
        self._failures = 0

    def failed(self, now: float) -> bool:
        """Leave it alone, for longer each time. Requests that fail together are one failure.

        Returns whether it is the first failure since it worked.
        """
        if now < self.rests_until:
            return False
        rest = min(LONGEST_REST, FIRST_REST * 2 ** min(self._failures, 8))
        self._failures += 1
        self.rests_until = now + rest * random.uniform(0.5, 1.0)
        return self._failures == 1

    def busy(self, until: float) -> None:
        """It has said when to come back."""
        self.rests_until = max(self.rests_until, until)

    def works(self) -> bool:
        """It has answered. Returns whether it had failed before."""
        recovered = self._failures > 0
        self._failures = 0
        self.rests_until = 0.0
        return recovered


class Servers:
    """The servers of one client in one event loop. Any of them can answer any request."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._servers = [Server(url) for url in urls]
        # Processes that start together do not all begin with the same one.
        random.shuffle(self._servers)

    def next(self, now: float) -> Server:
        """The one to ask: rested, with the least under way; where none is rested, the one that will be soonest."""
        rested = [server for server in self._servers if server.rests_until <= now]
        if rested:
            return min(rested, key=lambda server: server.under_way)
        return min(self._servers, key=lambda server: server.rests_until)

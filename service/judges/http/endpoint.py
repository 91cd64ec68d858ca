"""One server: its load, and what its last answers say about its health."""

from __future__ import annotations

from urllib.parse import urlsplit

from perception_reward.service.backoff import Backoff
from perception_reward.service.fairness import FairSemaphore

# A server that refuses a connection is left alone this long at first, and at most.
FIRST_BACKOFF, LONGEST_BACKOFF = 0.2, 15.0
# One that asks for less, or for no time at all, and is still busy then, is left alone this long at first, and at most.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class Endpoint:
    """Times are event-loop times, in seconds.

    url: base URL, below which `/v1/…` lies.
    slots: how many requests may be at the server at once, shared fairly. Belongs to one event loop.
    """

    def __init__(self, url: str, concurrency: int) -> None:
        self.url = url
        parts = urlsplit(url)
        # Without credentials: this is what logs and metrics show.
        self.label = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        self.concurrency = concurrency
        self.reset()

    def reset(self) -> None:
        """Forget everything: an event loop begins."""
        self.slots = FairSemaphore(self.concurrency)
        self.load = 0
        self.down_until = 0.0
        self.busy_until = 0.0
        self._failed_at = float("-inf")
        self._answered_at = float("-inf")
        self._backoff = Backoff(FIRST_BACKOFF, LONGEST_BACKOFF)
        self._pauses = Backoff(FIRST_PAUSE, LONGEST_PAUSE)

    @property
    def ready_at(self) -> float:
        """When the next request may be sent."""
        return max(self.down_until, self.busy_until)

    def answered(self, now: float, sent: float) -> None:
        """It answered a request sent at `sent`."""
        self._answered_at = now
        self._pauses.reset()
        if sent > self._failed_at:
            self._backoff.reset()
            self.down_until = 0.0

    def failed(self, now: float, sent: float) -> None:
        """It failed a request sent at `sent`. Requests that were under way together are one failure."""
        if sent > self._failed_at:
            self._failed_at = now
            self.down_until = now + self._backoff.next()

    def busy(self, now: float, seconds: float) -> None:
        """It asked to be left alone for `seconds`, which are finite. Requests that it turns away together are one."""
        if now >= self.busy_until:
            seconds = max(seconds, self._pauses.next())
        self.busy_until = max(self.busy_until, now + seconds)

    def silent_for(self, now: float, since: float) -> float:
        """Seconds for which it has answered nothing at all, counted from `since` at the earliest."""
        return now - max(since, self._answered_at)

    def silent_since(self, moment: float) -> bool:
        """Whether it has answered nothing at all since `moment`."""
        return self._answered_at < moment

"""A circuit breaker: after a failure nothing is sent until a back-off has passed, then one request probes."""

from __future__ import annotations

import time
from collections.abc import Callable

from perception_reward.service.backoff import Backoff


class Breaker:
    """Closed while things work. One failure opens it, since that failure has already cost a deadline.

    Once the back-off has passed, `admit` lets a single probe through; its outcome closes the breaker or opens
    it for longer. Every admitted operation must report `succeeded`, `failed` or `abandoned`.
    """

    def __init__(self, backoff: Backoff, clock: Callable[[], float] = time.monotonic) -> None:
        self._backoff = backoff
        self._clock = clock
        self._open_until: float | None = None
        self._probing = False

    @property
    def closed(self) -> bool:
        """Whether requests flow freely."""
        return self._open_until is None

    def admit(self) -> bool:
        """Whether an operation may be tried now."""
        if self._open_until is None:
            return True
        if self._probing or self._clock() < self._open_until:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        self._open_until = None
        self._probing = False
        self._backoff.reset()

    def failed(self) -> None:
        # Operations that were under way when the breaker opened fail with it. They are one outage, not many.
        if self._open_until is None or self._probing:
            self._open_until = self._clock() + self._backoff.next()
            self._probing = False

    def abandoned(self) -> None:
        """The operation was cancelled and says nothing; the next one may probe."""
        self._probing = False

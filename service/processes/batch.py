"""One call of `WorkerPool.map`: its payloads, and what has come of them."""

from __future__ import annotations

import asyncio
import pickle
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from perception_reward.service.fairness import Flow
from perception_reward.service.processes.outcomes import Failure


@dataclass(eq=False)
class Batch:
    """time_limit: seconds of computing for each payload. fresh: the payloads that no worker has begun."""

    function: Callable[[Any], Any]
    payloads: Sequence[Any]
    time_limit: float
    flow: Flow
    failure: Callable[[], Failure]

    def __post_init__(self) -> None:
        self.pickled = pickle.dumps(self.function, pickle.HIGHEST_PROTOCOL)
        self.fresh = deque(range(len(self.payloads)))
        self._due = set(self.fresh)
        self._done: deque[tuple[int, Any]] = deque()
        self._news = asyncio.Event()
        self.closed = False

    def deliver(self, index: int, outcome: object) -> None:
        self._done.append((index, outcome))
        self._news.set()

    def close(self) -> None:
        """Nothing more will be delivered."""
        self.closed = True
        self._news.set()

    async def outcomes(self, deadline: float) -> AsyncGenerator[tuple[int, Any]]:
        """Yields (index, outcome) as they are delivered; `failure` for what is not by the deadline, or was closed."""
        while self._due:
            while self._done:
                index, outcome = self._done.popleft()
                if index in self._due:
                    self._due.discard(index)
                    yield index, outcome
            if not self._due or not await self._more(deadline):
                break
        failure = self.failure()
        for index in sorted(self._due):
            yield index, failure

    async def _more(self, deadline: float) -> bool:
        """Waits until something was delivered. False when nothing more will be in time."""
        if self.closed:
            return False
        self._news.clear()
        try:
            async with asyncio.timeout_at(deadline):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

"""Long loops that let others have their turn on the event loop."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

# A health check needs some three turns of the event loop; one such turn costs some 20 µs.
TURN_SECONDS = 0.002
AT_ONCE = 256


class Pace:
    """`await pace.keep()` in each round of a loop; it gives way when the loop has had its turn.

    However many such loops are under way, one of them runs in each turn of the event loop: what else there is to do
    waits for one of them, not for all.
    """

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def keep(self) -> None:
        if time.perf_counter() - self._since > TURN_SECONDS:
            await _queue().turn()
            self._since = time.perf_counter()


class _Queue:
    """The loops that wait for their next turn, first come, first served. One per event loop."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self) -> None:
        events = asyncio.get_running_loop()
        if not self._waiting:
            events.call_soon(self._next)
        self._waiting.append(mine := events.create_future())
        await mine

    def _next(self) -> None:
        while self._waiting:
            if not (first := self._waiting.popleft()).done():  # else it was cancelled
                first.set_result(None)
                break
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()


def _queue() -> _Queue:
    events = asyncio.get_running_loop()
    if (found := _queues.get(events)) is None:
        found = _queues[events] = _Queue()
    return found


async def let_go(many: list[Any]) -> None:
    """Empty the list, in turns: to free a million objects at once takes a while."""
    pace = Pace()
    while many:
        del many[-AT_ONCE:]
        await pace.keep()

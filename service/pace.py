"""Long loops that let others have their turn on the event loop."""

from __future__ import annotations

import asyncio
import time
from typing import Any

# A health check needs some three turns, and waits in each for all loops under way; a turn costs some 20 µs.
TURN_SECONDS = 0.002
AT_ONCE = 256


class Pace:
    """`await pace.keep()` in each round of a loop; it gives way when the loop has had its turn."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def keep(self) -> None:
        if time.perf_counter() - self._since > TURN_SECONDS:
            await asyncio.sleep(0)
            self._since = time.perf_counter()


async def let_go(many: list[Any]) -> None:
    """Empty the list, in turns: to free a million objects at once takes a while."""
    pace = Pace()
    while many:
        del many[-AT_ONCE:]
        await pace.keep()

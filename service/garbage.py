"""Garbage collections that look at everything, put off to when nobody waits for an answer.

Such a collection walks over every object that there is. In the middle of a request of a hundred thousand facts it took
half a second, again and again while they became more, and found nothing: what a request makes is freed by reference
counts. What is left, the cycles of exceptions and the like, can wait.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from perception_reward.service.admission import Admission

# New objects before the youngest are looked at, and how many such looks until those that survived them are, too.
YOUNG, MIDDLE = 5000, 20
# Looks of the second kind until one at everything: so many that a large request does not come so far, where nobody has
# been idle since; and so few that one is worth its time where nobody waits. Of thousands of open connections each look
# takes a while, and finds little.
OVERDUE, WORTHWHILE = 100, 4
EVERY_SECONDS = 1.0
# Where a collection took so many seconds as there are so many objects, annotations that were read anew, these stay.
SLOW_SECONDS, MANY_OBJECTS = 0.05, 250_000


@asynccontextmanager
async def collected_when_idle(admission: Admission) -> AsyncGenerator[None]:
    """Full collections are put off to moments without a request under way."""
    usual = gc.get_threshold()
    gc.collect()
    # What has been imported stays: without it a full collection walks sympy and transformers.
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OVERDUE)
    collecting = asyncio.create_task(_collect(admission))
    try:
        yield
    finally:
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)
        gc.set_threshold(*usual)


async def _collect(admission: Admission) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        if admission.requests == 0 and gc.get_count()[2] >= WORTHWHILE:
            started = time.perf_counter()
            gc.collect()
            if time.perf_counter() - started > SLOW_SECONDS and len(gc.get_objects(2)) > MANY_OBJECTS:
                gc.freeze()

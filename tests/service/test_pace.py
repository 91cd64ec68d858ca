from __future__ import annotations

import asyncio
import time
from typing import Any

from perception_reward.service.pace import AT_ONCE, TURN_SECONDS, Pace, let_go


async def test_others_have_their_turn_in_a_long_loop(turns: Any):
    async with turns() as taken:
        pace = Pace()
        for _ in range(4):
            time.sleep(TURN_SECONDS * 1.1)  # noqa: ASYNC251
            await pace.keep()
    assert taken() >= 4


async def test_a_short_loop_is_not_interrupted():
    task = asyncio.create_task(asyncio.sleep(0))
    pace = Pace()
    await pace.keep()
    assert not task.done()
    await task


async def test_a_long_list_is_freed_in_turns(turns: Any):
    class Slow:
        def __del__(self) -> None:
            time.sleep(TURN_SECONDS / AT_ONCE)

    many = [Slow() for _ in range(10 * AT_ONCE)]
    async with turns() as taken:
        await let_go(many)
    assert many == []
    assert taken() >= 9

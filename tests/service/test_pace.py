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


async def test_of_many_long_loops_one_runs_in_each_turn_of_the_event_loop():
    rounds, others = 5, 8
    done = [0] * others

    async def loop(number: int) -> None:
        pace = Pace()
        for _ in range(rounds):
            time.sleep(TURN_SECONDS * 1.1)  # noqa: ASYNC251
            await pace.keep()
            done[number] += 1

    loops = [asyncio.create_task(loop(number)) for number in range(others)]
    await asyncio.sleep(0)  # each begins at once
    before = 0
    while not all(one.done() for one in loops):
        await asyncio.sleep(0)
        assert sum(done) - before <= 1
        assert max(done) - min(done) <= 1
        before = sum(done)
    assert done == [rounds] * others


async def test_a_loop_that_is_cancelled_while_it_waits_holds_up_no_other():
    async def loop() -> None:
        pace = Pace()
        for _ in range(3):
            time.sleep(TURN_SECONDS * 1.1)  # noqa: ASYNC251
            await pace.keep()

    loops = [asyncio.create_task(loop()) for _ in range(3)]
    await asyncio.sleep(0)
    loops[0].cancel()
    await asyncio.wait_for(asyncio.gather(*loops[1:]), 10)
    await asyncio.wait_for(loop(), 10)
    assert loops[0].cancelled()


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

"""Work for a client that leaves ends; work for one that stays does not, and neither does what somebody else cancels."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from perception_reward.service.api.disconnect import ClientGone, unless_gone


class Client:
    """The other end of a request whose body was read."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()

    def request(self) -> Request:
        async def receive() -> dict[str, str]:
            await self.leaves.wait()
            return {"type": "http.disconnect"}

        return Request({"type": "http", "headers": []}, receive)


async def test_what_is_done_in_time_is_returned() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await unless_gone(Client().request(), work()) == 7
    # Nothing is left of it that would cancel what comes after.
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_work_is_cancelled_when_the_client_leaves() -> None:
    client, ended = Client(), False

    async def work() -> None:
        nonlocal ended
        client.leaves.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended = True

    with pytest.raises(ClientGone):
        await unless_gone(client.request(), work())
    assert ended
    # The task that was told of it goes on: it has an answer to give.
    await asyncio.sleep(0)


async def test_a_client_that_leaves_as_the_work_ends_cancels_nothing_later() -> None:
    client = Client()

    async def work() -> int:
        client.leaves.set()
        return 7

    assert await unless_gone(client.request(), work()) == 7
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_else_cancels_is_obeyed_also_where_the_client_has_gone() -> None:
    client = Client()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            client.leaves.set()
            await asyncio.sleep(0.01)

    task = asyncio.create_task(unless_gone(client.request(), work()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_deadline_is_told_from_a_client_that_has_gone() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await unless_gone(Client().request(), asyncio.sleep(60))


async def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    async def work() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await unless_gone(Client().request(), work())

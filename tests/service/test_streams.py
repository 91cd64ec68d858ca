from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from perception_reward.service.streams import merge


async def count(to: int, closed: list[int] | None = None) -> AsyncGenerator[int]:
    try:
        for number in range(to):
            await asyncio.sleep(0)
            yield number
    finally:
        if closed is not None:
            closed.append(to)


async def test_every_value_of_every_stream_arrives():
    assert sorted([value async for value in merge(count(3), count(2))]) == [0, 0, 1, 1, 2]


async def test_an_empty_merge_ends():
    assert [value async for value in merge(count(0))] == []


async def test_an_error_in_one_ends_all():
    async def broken() -> AsyncGenerator[int]:
        yield 1
        raise ValueError("broken")

    closed: list[int] = []
    with pytest.raises(ValueError, match="broken"):
        _ = [value async for value in merge(broken(), count(10_000, closed))]
    assert closed == [10_000]


async def test_closing_it_closes_every_stream():
    closed: list[int] = []
    async with aclosing(merge(count(10_000, closed), count(20_000, closed))) as merged:
        async for _ in merged:
            break
    assert sorted(closed) == [10_000, 20_000]

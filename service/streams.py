"""Several streams as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def merge(*streams: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Yield from every stream as values come. The first error ends all; closing this one closes all."""
    arrived: asyncio.Queue[T | _End] = asyncio.Queue()

    async def pump(stream: AsyncGenerator[T]) -> None:
        error: BaseException | None = None
        try:
            async with aclosing(stream):
                async for value in stream:
                    arrived.put_nowait(value)
        except Exception as raised:
            error = raised
        arrived.put_nowait(_End(error))

    pumps = [asyncio.create_task(pump(stream)) for stream in streams]
    try:
        running = len(pumps)
        while running:
            value = await arrived.get()
            if not isinstance(value, _End):
                yield value
            elif value.error is not None:
                raise value.error
            else:
                running -= 1
    finally:
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error

"""Stops working for a client that has gone away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from fastapi import Request

T = TypeVar("T")


class ClientGone(Exception):
    """The client closed its connection before it was answered."""


async def _gone(request: Request) -> None:
    """Return when the client disconnects. The body has been read, so nothing else can arrive."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, but cancel it and raise `ClientGone` when the client disconnects first."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def until_gone(request: Request, values: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Yield from `values` until they end or the client disconnects; then close them."""
    gone = asyncio.ensure_future(_gone(request))
    step: asyncio.Task[T | _End] | None = None
    try:
        while True:
            step = asyncio.create_task(_next(values))
            await asyncio.wait({step, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done() or isinstance(value := step.result(), _End):
                return
            yield value
    finally:
        # The step has to be over before what it steps through can be closed. Both are told before either is waited
        # for: where the response itself is cancelled, so is the wait.
        pending: list[asyncio.Task[Any]] = [gone] if step is None else [gone, step]
        for task in pending:
            task.cancel()
        await asyncio.wait(pending)
        await values.aclose()


async def _next(values: AsyncGenerator[T]) -> T | _End:
    return await anext(values, _END)


class _End:
    pass


_END = _End()

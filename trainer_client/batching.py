"""Single items that arrive together leave together: per-sample trainers ask for each response by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from perception_reward.trainer_client.encoding import Encoded
from perception_reward.trainer_client.errors import InvalidItem
from perception_reward.trainer_client.wire import ItemResult

# Sends items with their step and returns their results in order.
Send = Callable[[list[Encoded], int | None, float], Awaitable[list[ItemResult]]]


class _Waiting(NamedTuple):
    item: Encoded
    deadline: float
    result: asyncio.Future[ItemResult]


class Batcher:
    """Collects items for `wait` seconds from the first, or until there are `most`. One per event loop."""

    def __init__(self, send: Send, wait: float, most: int) -> None:
        self._send = send
        self._wait = wait
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int | None, list[_Waiting]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def score(self, item: Encoded, step: int | None, deadline: float) -> ItemResult:
        """Its result, once the batch that it leaves with is answered."""
        result: asyncio.Future[ItemResult] = self._loop.create_future()
        batch = self._waiting.setdefault(step, [])
        batch.append(_Waiting(item, deadline, result))
        if len(batch) >= self._most:
            self._leave(step, batch)
        elif len(batch) == 1:
            self._loop.call_later(self._wait, self._leave, step, batch)
        return await result

    def _leave(self, step: int | None, batch: list[_Waiting]) -> None:
        if self._waiting.get(step) is not batch:
            return  # it was full before its time
        del self._waiting[step]
        task = self._loop.create_task(self._answer(batch, step))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _answer(self, batch: list[_Waiting], step: int | None) -> None:
        """Give each its result. A bad item takes its error alone; the others go on without it."""
        while batch := [waiting for waiting in batch if not waiting.result.done()]:
            try:
                results = await self._send([waiting.item for waiting in batch], step, batch[0].deadline)
            except InvalidItem as error:
                if error.index is None or error.index >= len(batch):
                    _fail(batch, error)
                else:
                    _fail([batch.pop(error.index)], error)
            except Exception as error:
                _fail(batch, error)
            except BaseException:
                for waiting in batch:
                    waiting.result.cancel()
                raise
            else:
                for waiting, result in zip(batch, results, strict=True):
                    if not waiting.result.done():
                        waiting.result.set_result(result)


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.result.done():
            waiting.result.set_exception(error)

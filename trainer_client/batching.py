"""Single items that arrive together leave together: per-sample trainers ask for each response by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from perception_reward.trainer_client.encoding import Encoded
from perception_reward.trainer_client.errors import InvalidItem

if TYPE_CHECKING:
    from perception_reward.trainer_client.wire import ItemResult

# Sends items with their step and deadline, and returns their results in order.
Send = Callable[[list[Encoded], "int | None", float], Awaitable["list[ItemResult]"]]


class _Waiting(NamedTuple):
    item: Encoded
    deadline: float
    result: asyncio.Future[ItemResult]


class _Batch:
    """Items that leave together. Once nobody waits for any of them, the request is given up."""

    def __init__(self) -> None:
        self.waiting: list[_Waiting] = []
        self.task: asyncio.Task[None] | None = None
        self._awaited = 0

    def add(self, waiting: _Waiting) -> None:
        self.waiting.append(waiting)
        self._awaited += 1
        waiting.result.add_done_callback(self._settled)

    def _settled(self, _: asyncio.Future[ItemResult]) -> None:
        self._awaited -= 1
        if self._awaited == 0 and self.task is not None:
            self.task.cancel()


class Batcher:
    """Collects items for `wait` seconds from the first, or until there are `most`. One per event loop."""

    def __init__(self, send: Send, wait: float, most: int) -> None:
        self._send = send
        self._wait = wait
        self._most = most
        self._loop = asyncio.get_running_loop()
        # By step, which is one for a whole request.
        self._collecting: dict[int | None, _Batch] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def score(self, item: Encoded, step: int | None, deadline: float) -> ItemResult:
        """Its result, once the batch that it leaves with is answered."""
        batch = self._collecting.get(step)
        if batch is None:
            batch = self._collecting[step] = _Batch()
            self._loop.call_later(self._wait, self._leave, step, batch)
        result: asyncio.Future[ItemResult] = self._loop.create_future()
        batch.add(_Waiting(item, deadline, result))
        if len(batch.waiting) >= self._most:
            self._leave(step, batch)
        return await result

    def _leave(self, step: int | None, batch: _Batch) -> None:
        if self._collecting.get(step) is not batch:
            return  # it was full before its time
        del self._collecting[step]
        batch.task = self._loop.create_task(self._answer(batch.waiting, step))
        self._sending.add(batch.task)
        batch.task.add_done_callback(self._sending.discard)

    async def _answer(self, batch: list[_Waiting], step: int | None) -> None:
        """Give each its result. A bad item takes its error alone; the others go on without it."""
        while batch := [waiting for waiting in batch if not waiting.result.done()]:
            try:
                results = await self._send([waiting.item for waiting in batch], step, batch[0].deadline)
            except InvalidItem as error:
                named = error.index is not None and error.index < len(batch)
                _fail([batch[error.index or 0]] if named else batch, error)
            except Exception as error:
                _fail(batch, error)
            else:
                for waiting, result in zip(batch, results, strict=True):
                    if not waiting.result.done():
                        waiting.result.set_result(result)


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.result.done():
            waiting.result.set_exception(error)

"""Keeps the workers alive: whoever dies is replaced, however often, and however long that is impossible."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from perception_reward.service.backoff import Backoff
from perception_reward.service.processes.handles import ForkServer, Worker, WorkersUnavailable

logger = logging.getLogger(__name__)

# Seconds until a worker is tried for again that could not be started.
FIRST_BACKOFF, LONGEST_BACKOFF = 0.05, 5.0

# A worker that was hired for a moment's need is kept for so long: the next moment may need it too.
SPARE_SECONDS = 2.0


class Supervisor:
    """`size` workers that run or are idle; more while some are paused. Belongs to one event loop.

    changed: called when a worker has become idle, or can be hired no more. on_restart: called for each worker that
    has to be replaced.
    """

    def __init__(
        self, server: ForkServer, size: int, *, changed: Callable[[], None], on_restart: Callable[[], None]
    ) -> None:
        self._server = server
        self._size = size
        self._changed = changed
        self._on_restart = on_restart
        self._living: set[Worker] = set()
        self._idle: deque[Worker] = deque()
        self._dismissed: set[asyncio.Task[None]] = set()
        self._needed = asyncio.Event()
        self._spare = False
        self._keeper: asyncio.Task[None] | None = None
        self._none_since = 0.0
        self.outage: str | None = None

    @property
    def living(self) -> int:
        """Worker processes, paused ones included."""
        return len(self._living)

    @property
    def seconds_without(self) -> float:
        """For how long there has been none; 0 where there is one."""
        return 0.0 if self._living else asyncio.get_running_loop().time() - self._none_since

    async def start(self) -> None:
        """Returns when every worker is ready. WorkersUnavailable, with the reason, where the first attempt fails."""
        while len(self._living) < self._size:
            await self._hire()
        self._keeper = asyncio.create_task(self._keep())

    async def aclose(self) -> None:
        """Ends the workers."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        for worker in tuple(self._living):
            self.dismiss(worker)
        await asyncio.gather(*self._dismissed, return_exceptions=True)
        await self._server.aclose()

    @property
    def idle(self) -> bool:
        """Whether there is an idle worker."""
        return bool(self._idle)

    def take(self) -> Worker:
        """The worker that was idle for the shortest time: its memory is at hand. IndexError where there is none."""
        return self._idle.pop()

    def give_back(self, worker: Worker) -> None:
        """It is idle again."""
        if worker in self._living:
            self._idle.append(worker)
            self._changed()

    def dismiss(self, worker: Worker) -> None:
        """Ends a worker that is fit for nothing more; where too few are left, another is hired."""
        if worker in self._living:
            self._living.remove(worker)
            if not self._living:
                self._none_since = asyncio.get_running_loop().time()
        if worker in self._idle:
            self._idle.remove(worker)
        closing = asyncio.create_task(worker.aclose())
        self._dismissed.add(closing)
        closing.add_done_callback(self._dismissed.discard)
        self._needed.set()

    def want_spare(self) -> None:
        """A worker more would be of use for the moment, if all that are to run do so."""
        self._spare = True
        self._needed.set()

    @property
    def _target(self) -> int:
        return self._size + sum(worker.paused for worker in self._living) + self._spare

    async def _keep(self) -> None:
        """Hire and dismiss, for as long as the service runs."""
        backoff = Backoff(FIRST_BACKOFF, LONGEST_BACKOFF)
        while True:
            await self._due()
            try:
                await self._hire()
            except Exception as error:
                self._failed(error)
                await asyncio.sleep(backoff.next())
            else:
                backoff.reset()
                self._recovered()

    async def _due(self) -> None:
        """Returns when a worker is to be hired; meanwhile spare ones go that have stood idle."""
        while len(self._living) >= self._target:
            self._needed.clear()
            try:
                async with asyncio.timeout(SPARE_SECONDS if len(self._living) > self._size else None):
                    await self._needed.wait()
            except TimeoutError:
                self._spare = False
                while self._idle and len(self._living) > self._target:
                    self.dismiss(self._idle[0])

    async def _hire(self) -> None:
        worker = await self._server.hire()
        self._living.add(worker)
        worker.exited.add_done_callback(lambda _: self._left(worker))
        self.give_back(worker)

    def _left(self, worker: Worker) -> None:
        """It has ended. One that was dismissed is not missed."""
        if worker in self._living:
            self._on_restart()
            self.dismiss(worker)
            self._changed()

    def _failed(self, error: Exception) -> None:
        reason = str(error) if isinstance(error, WorkersUnavailable) else f"{type(error).__name__}: {error}"
        if self.outage is None:
            told = {"reason": reason, "living": self.living}
            logger.error(
                "no worker can be started; it is tried again until one can",
                extra=told,
            )
        self.outage = reason
        self._changed()

    def _recovered(self) -> None:
        if self.outage is not None:
            logger.info("workers can be started again", extra={"living": self.living})
        self.outage = None

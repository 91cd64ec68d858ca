"""A pool of worker processes in which a hostile task (a hang, a memory bomb, a crash) costs only itself.

    pool = WorkerPool(8, preload=["math_verify"])
    await pool.start()
    async for index, outcome in pool.map(grade, payloads, deadline=loop.time() + 30):
        ...

Workers are forked from a small single-threaded process (`zygote.py`) that has imported `preload`, so a
replacement is ready in milliseconds and nothing is ever forked from the threads and the event loop of the
service. Each payload runs under the kernel's own alarm, which ends the worker even inside C code, and
outcomes come back one by one: what a dying worker had finished counts, the payload it died on is known, and
the rest goes to another worker.

A first try is short. A payload that outlives it, or that kills its worker, is set aside and tried again, with
the whole time limit, when nothing new is waiting, and never on all workers at once. So however many payloads
hang, the others are answered first.

Not `pebble` or `concurrent.futures`: there one killed idle worker breaks the pool, a chunk's finished results
die with it, and cancelling a queued task kills a worker.
"""

from __future__ import annotations

import asyncio
import math
import signal
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from perception_reward.service.nursery import Nursery, Worker, WorkersUnavailable
from perception_reward.service.zygote import Chunk, Returned

P = TypeVar("P")
R = TypeVar("R")

FIRST_TRY_CPU_SECONDS = 0.3
"""Ten times the 99th percentile of grading one answer. By computing time: a busy machine makes nobody a suspect."""

FIRST_TRY_SECONDS = 2.0
"""The same by the clock, for what waits instead of computing."""

CLOCK_PER_CPU = 2.0
CLOCK_SPARE_SECONDS = 1.0
"""A payload has its time limit of computing. By the clock it has twice that and a second: a machine may be busy."""

CHUNK_MOST = 32
CHUNKS_PER_WORKER = 8
"""Chunks enough that workers end a batch together, and large enough that many payloads share a round trip."""

HIRE_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The payload was killed at its time limit, or not run before the deadline.

    cpu: it used up its time limit by computing, so it is the payload that is too expensive, on any machine. Otherwise
    it waited, for a worker or for a busy machine, and may well be cheap. Two time-outs are equal either way.
    """

    cpu: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Crashed:
    """The worker died of the payload (memory, signal), or the function raised.

    memory: it used up the memory that a worker has, so it is the payload that is too expensive. Two crashes with one
    detail are equal either way.
    """

    detail: str
    memory: bool = field(default=False, compare=False)


Failure: TypeAlias = TimedOut | Crashed


def _nothing() -> None: ...


@dataclass(eq=False, slots=True)
class _Batch:
    """One call of `map`, and what has come of it."""

    function: Callable[[Any], Any]
    payloads: Sequence[Any]
    time_limit: float
    done: deque[tuple[int, Any]] = field(default_factory=deque[tuple[int, Any]])
    news: asyncio.Event = field(default_factory=asyncio.Event)
    running: set[Worker] = field(default_factory=set[Worker])
    closed: bool = False
    abandoned: bool = False

    def deliver(self, index: int, outcome: object) -> None:
        self.done.append((index, outcome))
        self.news.set()

    def abandon(self) -> None:
        """The pool closes: nothing more will be delivered."""
        self.abandoned = True
        self.news.set()

    async def outcomes(self, deadline: float) -> AsyncGenerator[tuple[int, Any]]:
        due = set(range(len(self.payloads)))
        while due:
            while self.done:
                index, outcome = self.done.popleft()
                due.discard(index)
                yield index, outcome
            if not due or not await self._more(deadline):
                break
        failure = Crashed("the worker pool was closed") if self.abandoned else TimedOut()
        for index in sorted(due):
            yield index, failure

    async def _more(self, deadline: float) -> bool:
        """Waits until something was delivered. False when nothing more will be in time."""
        self.news.clear()
        if self.abandoned:
            return False
        try:
            async with asyncio.timeout_at(deadline):
                await self.news.wait()
        except TimeoutError:
            return False
        return True


@dataclass(eq=False, slots=True)
class _Errand:
    """Payloads of one batch for one worker. `again`: it is the second try of one."""

    batch: _Batch
    indices: deque[int]
    again: bool = False

    @property
    def payloads(self) -> list[Any]:
        return [self.batch.payloads[index] for index in self.indices]

    @property
    def clock_limit(self) -> float:
        patient = self.batch.time_limit * CLOCK_PER_CPU + CLOCK_SPARE_SECONDS
        return patient if self.again else min(FIRST_TRY_SECONDS, patient)

    @property
    def cpu_limit(self) -> float:
        return self.batch.time_limit if self.again else min(FIRST_TRY_CPU_SECONDS, self.batch.time_limit)


def _reading(status: int | None) -> str:
    if status is None:
        return "the process that workers are forked from died"
    if status >= 0:
        return f"the worker exited with status {status}"
    return f"the worker was killed by {signal.Signals(-status).name}"


class WorkerPool:
    """Worker processes that run plain functions over payloads, chunk by chunk.

    workers: processes. time_limit: seconds of computing per payload. memory_mb: address space per worker. preload:
    modules that workers have imported when they start. on_restart: called each time a worker had to be replaced.
    Belongs to the event loop it is started in. Functions and payloads are pickled.
    """

    def __init__(
        self,
        workers: int,
        *,
        time_limit: float = 5.0,
        memory_mb: int = 2048,
        preload: Sequence[str] = (),
        on_restart: Callable[[], None] = _nothing,
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers is {workers}; a pool needs at least one")
        self._workers = workers
        self._time_limit = time_limit
        self._nursery = Nursery(tuple(preload), memory_mb)
        self._on_restart = on_restart
        self._fresh: deque[_Errand] = deque()
        self._set_aside: deque[_Errand] = deque()
        self._retrying = 0
        self._changed = asyncio.Event()
        self._batches: set[_Batch] = set()
        self._slots: list[asyncio.Task[None]] = []

    @property
    def queue_depth(self) -> int:
        """Payloads that wait for a worker."""
        return sum(len(errand.indices) for waiting in (self._fresh, self._set_aside) for errand in waiting)

    async def start(self) -> None:
        """Returns when every worker is ready. WorkersUnavailable, with the reason, where a preload fails."""
        first = await asyncio.gather(*(self._nursery.hire() for _ in range(self._workers)))
        self._slots = [asyncio.create_task(self._serve(worker)) for worker in first]

    async def aclose(self) -> None:
        """Ends the workers. What still runs or waits is `Crashed`."""
        slots, self._slots = self._slots, []
        for slot in slots:
            slot.cancel()
        await asyncio.gather(*slots, return_exceptions=True)
        for batch in tuple(self._batches):
            batch.abandon()
        self._fresh.clear()
        self._set_aside.clear()
        await self._nursery.aclose()

    async def map(
        self,
        function: Callable[[P], R],
        payloads: Sequence[P],
        *,
        deadline: float,
        time_limit: float | None = None,
    ) -> AsyncGenerator[tuple[int, R | TimedOut | Crashed]]:
        """Yields (index, outcome) for every payload, as each is done.

        deadline: on the running loop's clock; what is not done by then is `TimedOut`. time_limit: seconds of
        computing per payload, instead of the pool's. Closing the iterator early drops what waits and kills what runs.
        """
        if not self._slots:
            raise RuntimeError("the worker pool is not running; await start() first")
        if function.__module__ == "__main__":
            raise ValueError(f"workers cannot import {function.__qualname__} from a script; move it to a module")
        batch = _Batch(function, payloads, time_limit or self._time_limit)
        self._batches.add(batch)
        try:
            self._submit(batch)
            async for index, outcome in batch.outcomes(deadline):
                yield index, outcome
        finally:
            self._batches.discard(batch)
            self._withdraw(batch)

    def _submit(self, batch: _Batch) -> None:
        total = len(batch.payloads)
        size = max(1, min(CHUNK_MOST, math.ceil(total / (self._workers * CHUNKS_PER_WORKER))))
        self._fresh.extend(
            _Errand(batch, deque(range(start, min(start + size, total)))) for start in range(0, total, size)
        )
        self._changed.set()

    def _withdraw(self, batch: _Batch) -> None:
        batch.closed = True
        self._fresh = deque(errand for errand in self._fresh if errand.batch is not batch)
        self._set_aside = deque(errand for errand in self._set_aside if errand.batch is not batch)
        for worker in batch.running:
            worker.kill()

    async def _serve(self, worker: Worker) -> None:
        """One worker's place: give it errands, and replace it when it dies."""
        while True:
            worker.when_ended(self._changed.set)
            while (errand := await self._next(worker)) is not None and await self._run(worker, errand):
                pass
            await self._nursery.dismiss(worker)
            self._on_restart()
            worker = await self._replacement()

    async def _replacement(self) -> Worker:
        while True:
            with suppress(WorkersUnavailable):
                return await self._nursery.hire()
            await asyncio.sleep(HIRE_AGAIN_SECONDS)

    async def _next(self, worker: Worker) -> _Errand | None:
        """None where the worker ends first: it is replaced while nobody waits for it."""
        while not worker.ended:
            if (errand := self._take()) is not None:
                return errand
            self._changed.clear()
            await self._changed.wait()
        return None

    def _take(self) -> _Errand | None:
        if self._fresh:
            return self._fresh.popleft()
        if self._set_aside and self._retrying < max(1, self._workers - 1):
            return self._set_aside.popleft()
        return None

    async def _run(self, worker: Worker, errand: _Errand) -> bool:
        """True if the worker is fit for more."""
        batch = errand.batch
        batch.running.add(worker)
        self._retrying += errand.again
        try:
            failure = await self._report(worker, errand)
            if failure is not None:
                self._settle(errand, failure)
            return failure is None
        finally:
            self._retrying -= errand.again
            batch.running.discard(worker)
            self._changed.set()

    async def _report(self, worker: Worker, errand: _Errand) -> Failure | None:
        """Delivers what the worker finishes. What it died of, or None if it lives."""
        batch = errand.batch
        async for outcome in worker.run(Chunk(batch.function, errand.payloads, errand.clock_limit, errand.cpu_limit)):
            if isinstance(outcome, Returned):
                batch.deliver(errand.indices.popleft(), outcome.value)
            elif outcome.exhausted:
                return Crashed(outcome.detail, memory=True)
            else:
                batch.deliver(errand.indices.popleft(), Crashed(outcome.detail))
        if not errand.indices:
            return None
        status = await worker.exit_status()
        if status in (-signal.SIGALRM, -signal.SIGPROF):
            return TimedOut(cpu=status == -signal.SIGPROF)
        return Crashed(_reading(status))

    def _settle(self, errand: _Errand, failure: Failure) -> None:
        """The payload that ended its worker is tried again or fails; those behind it go back to the front."""
        guilty = errand.indices.popleft()
        if errand.batch.closed:
            return
        if errand.indices:
            self._fresh.appendleft(errand)
        if errand.again:
            errand.batch.deliver(guilty, failure)
        else:
            self._set_aside.append(_Errand(errand.batch, deque([guilty]), again=True))

"""A pool of worker processes in which a hostile task (a hang, a memory bomb, a crash) costs only itself.

    pool = WorkerPool(8, preload=["math_verify"])
    await pool.start()
    async for index, outcome in pool.map(grade, payloads, deadline=loop.time() + 30):
        ...

Workers are forked from a small single-threaded process (`fork_server.py`) that has imported `preload`, so a
replacement is ready in milliseconds and nothing is ever forked from the threads and the event loop of the service. They
have none of its environment and may reach, run and write nothing (`sandbox.py`). Outcomes come back one by one: what a
dying worker had finished counts, the payload it died on is known, and the rest goes to another worker.

A payload has its time limit of *computing*, which the kernel keeps: a busy machine takes nothing from it. What waits
instead, for as long and a second, is ended by the pool. What died otherwise (memory, a signal, silence) is tried once
more. `schedule.py` tells who runs when.

Not `pebble` or `concurrent.futures`: there one killed idle worker breaks the pool, a chunk's finished results
die with it, and cancelling a queued task kills a worker.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import signal
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TypeVar

from perception_reward.service.fairness import current_flow
from perception_reward.service.processes.batch import Batch
from perception_reward.service.processes.handles import ForkServer, Worker
from perception_reward.service.processes.messages import Chunk, Outcome, Returned
from perception_reward.service.processes.outcomes import Crashed, Failure, TimedOut, Unavailable
from perception_reward.service.processes.schedule import SLICE_SECONDS, Run, Schedule
from perception_reward.service.processes.supervisor import Supervisor

logger = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")

# Beside its time limit, what a payload may hold a worker without computing: a machine may be busy.
SILENT_SECONDS = 1.0
# Where it cannot be known whether a payload computes: how much longer that takes by the clock, on a busy machine.
CLOCK_PER_CPU = 2.0

# What a process may hold of the machine's memory, in MiB, while it stands half done. A grader has some 80.
PAUSED_MOST_MB = 256

# Seconds without any worker after which that is an outage, and after which nobody is kept waiting for its end. A new
# fork server takes one or two.
RESTART_SECONDS, PATIENCE_SECONDS = 3.0, 10.0


def _nothing() -> None: ...


class WorkerPool:
    """Worker processes that run plain functions over payloads, chunk by chunk.

    workers: payloads that run at once. time_limit: seconds of computing per payload. memory_mb: address space per
    worker. preload: modules that workers have imported when they start. on_restart: called each time a worker had to be
    replaced.
    Belongs to the event loop it is started in. Functions and payloads are pickled; what functions return is made of
    plain values and the project's dataclasses.
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
        self._changed = asyncio.Event()
        self._schedule = Schedule(workers)
        self._supervisor = Supervisor(
            ForkServer(tuple(preload), memory_mb), workers, changed=self._changed.set, on_restart=on_restart
        )
        self._batches: set[Batch] = set()
        self._runs: set[Run] = set()
        self._slots: list[asyncio.Task[None]] = []
        self._complaints: set[str] = set()

    @property
    def queue_depth(self) -> int:
        """Payloads that wait for a worker."""
        return self._schedule.waiting

    @property
    def living(self) -> int:
        """Worker processes that live; for a moment, while many requests wait, more than there are to run at once."""
        return self._supervisor.living

    @property
    def outage(self) -> str | None:
        """Why no worker lives, where none has for a while or could be started; None otherwise."""
        if self.living:
            return None
        late = self._supervisor.seconds_without > RESTART_SECONDS
        return self._supervisor.outage or ("they are being started" if late else None)

    async def start(self) -> None:
        """Returns when every worker is ready. WorkersUnavailable, with the reason, where a preload fails."""
        await self._supervisor.start()
        self._slots = [asyncio.create_task(self._serve()) for _ in range(self._workers)]
        self._slots.append(asyncio.create_task(self._lose_patience()))

    async def aclose(self) -> None:
        """Ends the workers. What still runs or waits is `Crashed`."""
        slots, self._slots = self._slots, []
        for slot in slots:
            slot.cancel()
        await asyncio.gather(*slots, return_exceptions=True)
        for batch in tuple(self._batches):
            batch.close()
        await self._supervisor.aclose()

    async def map(
        self,
        function: Callable[[P], R],
        payloads: Sequence[P],
        *,
        deadline: float,
        time_limit: float | None = None,
    ) -> AsyncGenerator[tuple[int, R | Failure]]:
        """Yields (index, outcome) for every payload, as each is done.

        deadline: on the running loop's clock; what is not done by then is `TimedOut`, or `Unavailable` where no worker
        lived. time_limit: seconds of computing per payload, instead of the pool's. Closing the iterator early drops
        what waits and kills what runs.
        """
        if not self._slots:
            raise RuntimeError("the worker pool is not running; await start() first")
        if function.__module__ == "__main__":
            raise ValueError(f"workers cannot import {function.__qualname__} from a script; move it to a module")
        batch = Batch(function, payloads, time_limit or self._time_limit, current_flow(), self._failure)
        self._batches.add(batch)
        try:
            self._schedule.add(batch)
            self._changed.set()
            async for index, outcome in batch.outcomes(deadline):
                yield index, outcome
        finally:
            self._batches.discard(batch)
            self._withdraw(batch)

    def _failure(self) -> Failure:
        """What has become of payloads that nobody will answer for."""
        if not self._slots:
            return Crashed("the worker pool was closed")
        return TimedOut() if self.living else Unavailable(self.outage or "no worker lives")

    def _withdraw(self, batch: Batch) -> None:
        batch.close()
        running = [run.worker for run in self._runs if run.batch is batch and run.worker is not None]
        for worker in (*running, *self._schedule.withdraw(batch)):
            worker.kill()

    async def _lose_patience(self) -> None:
        """Nobody waits for the deadline where no worker lives and none can be started."""
        while True:
            await asyncio.sleep(1.0)
            if self._supervisor.seconds_without > PATIENCE_SECONDS:
                for batch in tuple(self._batches):
                    batch.close()

    async def _serve(self) -> None:
        """One of the runs that there are at once, after the other. Whatever happens to one, the next one follows."""
        while True:
            run = await self._next()
            self._runs.add(run)
            try:
                await self._advance(run)
            except Exception as error:
                self._complain(error)
                self._bury(run, Crashed(f"{type(error).__name__} in the service"))
            finally:
                self._runs.discard(run)
                del run  # while the next one is waited for, what this was part of would be kept
                self._changed.set()

    async def _next(self) -> Run:
        """The next run, with the worker that is busy with it."""
        while True:
            run = self._schedule.take() if self._supervisor.idle else self._schedule.take_paused()
            if run is None:
                self._changed.clear()
                await self._changed.wait()
            elif run.worker is not None:
                run.worker.resume()
                return run
            elif self._begin(run, self._supervisor.take()):
                return run

    def _begin(self, run: Run, worker: Worker) -> bool:
        """Sends the payloads to the worker. False where none can be sent."""
        batch = run.batch
        payloads: list[bytes] = []
        for index in tuple(run.indices):
            try:
                payloads.append(pickle.dumps(batch.payloads[index], pickle.HIGHEST_PROTOCOL))
            except Exception as error:
                run.indices.remove(index)
                batch.deliver(index, Crashed(f"it cannot be sent to a worker: {type(error).__name__}"))
        if not payloads:
            self._schedule.done(run)
            self._supervisor.give_back(worker)
            return False
        run.worker = worker
        worker.send(Chunk(batch.pickled, payloads, batch.time_limit))
        return True

    async def _advance(self, run: Run) -> None:
        """Hears a worker until it has done all that it was sent, has died, or gives way."""
        loop, worker = asyncio.get_running_loop(), run.worker
        assert worker is not None
        slice_end = loop.time() + SLICE_SECONDS
        while run.indices:
            since = loop.time()
            try:
                outcome = await worker.next(SLICE_SECONDS)
            except (EOFError, ValueError) as error:
                self._bury(run, await _cause(worker, error))
                return
            now = loop.time()
            run.held += now - since
            self._schedule.charge(run, now - since)
            if outcome is not None and not self._deliver(run, worker, outcome):
                return
            if now >= slice_end:
                slice_end = now + SLICE_SECONDS
                if run.indices and self._leaves(run, worker):
                    return
        self._schedule.done(run)
        if run.alone:
            self._supervisor.dismiss(worker)
        else:
            self._supervisor.give_back(worker)

    def _deliver(self, run: Run, worker: Worker, outcome: Outcome) -> bool:
        """False where the worker ends itself: its payload did not fit into its memory."""
        if isinstance(outcome, Returned):
            self._schedule.learn(run, worker.took)
            result = outcome.value
        elif outcome.exhausted:
            self._bury(run, Crashed(outcome.detail, memory=True))
            return False
        else:
            result = Crashed(outcome.detail)
        run.batch.deliver(run.indices.popleft(), result)
        run.held = run.spent = run.computed = run.moved = 0.0
        return True

    def _leaves(self, run: Run, worker: Worker) -> bool:
        """At the end of a slice: whether the run gives way, or was silent for too long."""
        if _look(run, worker) > run.batch.time_limit + SILENT_SECONDS:
            self._bury(run, TimedOut())
            return True
        if self._schedule.outlived(run):
            self._changed.set()
        if not self._schedule.rival(run):
            return False
        victim = run if worker.resident_mb > PAUSED_MOST_MB else self._schedule.victim(run)
        if victim is run:
            worker.kill()
            self._schedule.retry(run)
            return True
        if not self._supervisor.idle:
            self._supervisor.want_spare()
            return False
        if victim is not None and victim.worker is not None:
            victim.worker.kill()
            self._schedule.give_up(victim)
        worker.pause()
        self._schedule.put_back(run)
        return True

    def _bury(self, run: Run, failure: Failure) -> None:
        """The first payload has ended its worker: that is what came of it, or it is tried once more."""
        if run.worker is not None:
            run.worker.kill()
        if run.guilty or (isinstance(failure, TimedOut) and failure.cpu):
            run.batch.deliver(run.indices.popleft(), failure)
            self._schedule.done(run)
        else:
            run.guilty = True
            self._schedule.retry(run)

    def _complain(self, error: Exception) -> None:
        """Once for each kind: it is a fault of the service, and would be there each time."""
        if (kind := type(error).__name__) not in self._complaints:
            self._complaints.add(kind)
            logger.error("a worker could not be served; more of the same are not logged", exc_info=error)


def _look(run: Run, worker: Worker) -> float:
    """How the run gets on: for how long it has neither computed nor stood in line for a processor, in seconds."""
    watched = worker.watch()
    if watched is None:
        run.spent = run.held / CLOCK_PER_CPU
        return run.held / CLOCK_PER_CPU
    computed, waits = watched
    if computed > run.computed or not waits:
        run.computed, run.moved = computed, run.held
    run.spent = computed + run.held - run.moved
    return run.held - run.moved


async def _cause(worker: Worker, error: Exception) -> Failure:
    """What a worker that says nothing, or nothing sensible, has died of."""
    status = await worker.exit_status()
    if isinstance(error, ValueError):
        return Crashed(str(error))
    if status == -signal.SIGPROF:
        return TimedOut(cpu=True)
    if status is None:
        return Crashed("the process that workers are forked from died")
    if status >= 0:
        return Crashed(f"the worker exited with status {status}")
    return Crashed(f"the worker was killed by {signal.Signals(-status).name}")

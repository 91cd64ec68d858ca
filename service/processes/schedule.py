"""What a free worker does next, and when a busy one gives way. Bookkeeping alone: no process, no clock, no loop.

1. Requests share the workers fairly (`fairness`): each is charged the time that its payloads hold a worker, and whoever
   was charged least comes next. A payload need not end for that: once it takes longer than `FIRST_TRY_SECONDS`, its
   process is stopped when another's turn has come, keeps all that it computed, and goes on later.
2. Within a request, payloads that outlive a first try (`History.first_try`; three quarters of the ordinary work would
   be done by then) are *long*. While anything shorter waits they get a quarter of the request's time. What
   shared a chunk with one is taken back, for other workers.
3. Half done, each in a process of its own, stand at most `LEAST_LONG` to `MOST_LONG` long payloads of a request, and in
   all twice the workers more. Where one long payload more would, that on which least was spent ends and begins again.
4. So: a small request waits for `FIRST_TRY_SECONDS` and a slice, then for its turn among the others. Ordinary work is
   not thrown away. Hanging payloads cost their request a first try each, and their own time limits last. Time is that
   of computing, as far as it can be known: a busy machine makes nothing long.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from perception_reward.service.fairness import FairQueue, Flow, flow_queue
from perception_reward.service.processes.batch import Batch
from perception_reward.service.processes.handles import Worker
from perception_reward.service.processes.history import CHUNK_MOST, FIRST_TRY_SECONDS, History

# How often a busy worker is looked at: a hundred times what stopping it costs, and nothing that a caller would notice.
SLICE_SECONDS = 0.05

# How many long payloads of a request may stand half done, each in a process of some 20 MB: as many as there are
# workers, but
LEAST_LONG, MOST_LONG = 8, 32

# While shorter ones wait, long payloads get one part in so many and one: some, as only those that end teach what is
# ordinary.
LONG_COST = 3

# Chunks enough that workers end a batch together.
CHUNKS_PER_WORKER = 8

Kind = Literal["short", "long"]


@dataclass(eq=False, slots=True)
class Run:
    """Payloads of one batch, one after the other on one worker.

    held, computed, moved: seconds for which the first of them has held a worker, for which it computed, and of `held`
    when it was last seen to. spent: what it counts for, computing or waiting.
    long: it outlived a first try. guilty: a worker died of it. alone: its worker was sent payloads that others do now.
    """

    batch: Batch
    indices: deque[int]
    worker: Worker | None = None
    held: float = 0.0
    computed: float = 0.0
    moved: float = 0.0
    spent: float = 0.0
    long: bool = False
    guilty: bool = False
    alone: bool = False

    @property
    def kind(self) -> Kind:
        return "long" if self.long else "short"


class _Lines:
    """What waits of one flow."""

    def __init__(self) -> None:
        self.fresh: deque[Batch] = deque()
        self.interrupted: deque[Run] = deque()
        self.long: deque[Run] = deque()
        self.running = 0
        self.kinds: FairQueue[Kind] = FairQueue()

    @property
    def empty(self) -> bool:
        return not (self.fresh or self.interrupted or self.long)

    def long_run(self) -> Run:
        """One that is half done before one that begins again: there is no room for more of them."""
        run = next((run for run in self.long if run.worker is not None), self.long[0])
        self.long.remove(run)
        return run

    def line(self, run: Run) -> deque[Run]:
        return self.long if run.long else self.interrupted


class Schedule:
    """What waits, and whose turn it is.

    A run is either here, or held by the caller from `take` until `put_back`, `retry` or `done`.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._most_long = min(max(workers, LEAST_LONG), MOST_LONG)
        self._most_paused = self._most_long + 2 * workers
        self._turns = flow_queue()
        self._lines: dict[Flow, _Lines] = {}
        self._paused: dict[Run, None] = {}
        self._histories: dict[Callable[[Any], Any], History] = {}

    @property
    def waiting(self) -> int:
        """Payloads that wait for a worker."""
        lines = self._lines.values()
        fresh = sum(len(batch.fresh) for each in lines for batch in each.fresh)
        return fresh + sum(len(run.indices) for each in lines for run in (*each.interrupted, *each.long))

    def add(self, batch: Batch) -> None:
        """Its payloads wait."""
        if batch.fresh:
            self._of(batch.flow).fresh.append(batch)
            self._update(batch.flow)

    def take(self) -> Run | None:
        """The next run, for an idle worker, or with the paused worker that it goes on with."""
        flow = self._turns.first()
        if flow is None:
            return None
        lines = self._lines[flow]
        if lines.interrupted:
            run = lines.interrupted.popleft()
        elif lines.kinds.first() == "long":
            run = lines.long_run()
        else:
            run = self._fresh_run(lines)
        self._hand_out(run)
        return run

    def take_paused(self) -> Run | None:
        """A run that goes on with its own worker, where no other is idle."""
        run = next(iter(self._paused), None)
        if run is not None:
            self._lines[run.batch.flow].line(run).remove(run)
            self._hand_out(run)
        return run

    def charge(self, run: Run, seconds: float) -> None:
        """The run has held a worker for so long."""
        self._turns.charge(run.batch.flow, seconds)
        self._of(run.batch.flow).kinds.charge(run.kind, seconds * LONG_COST if run.long else seconds)

    def learn(self, run: Run, seconds: float) -> None:
        """A payload of the run was done after computing for so long."""
        self._history(run.batch).observe(seconds)

    def outlived(self, run: Run) -> bool:
        """Whether its payload has just become a long one. What is behind it is then for other workers."""
        if run.long or run.spent < self._history(run.batch).first_try:
            return False
        run.long = True
        run.alone = len(run.indices) > 1
        self._spare_others(run)
        return True

    def rival(self, run: Run) -> bool:
        """Whether somebody should have the worker instead."""
        if run.spent < FIRST_TRY_SECONDS:
            return False
        mine, first = run.batch.flow, self._turns.first()
        if first is not None and first is not mine and self._turns.charged(first) < self._turns.charged(mine):
            return run.long or len(self._paused) < self._most_paused
        lines = self._lines[mine]
        shorter = bool(lines.fresh or lines.interrupted)
        return run.long and shorter and lines.kinds.charged("short") < lines.kinds.charged("long")

    def victim(self, run: Run) -> Run | None:
        """The long payload that has to be ended so that `run` can be paused, maybe itself: least was spent on it."""
        if not run.long:
            return None
        halted = [each for each in self._paused if each.long]
        if len(self._paused) < self._most_paused:
            halted = [each for each in halted if each.batch.flow is run.batch.flow]
            if len(halted) < self._most_long:
                return None
        return min((*halted, run), key=lambda each: each.spent)

    def put_back(self, run: Run) -> None:
        """It is paused, and waits for its turn to go on."""
        self._paused[run] = None
        lines = self._release(run)
        lines.line(run).append(run)
        self._update(run.batch.flow)

    def give_up(self, paused: Run) -> None:
        """A paused run has lost its worker, and what it computed; it begins again when its turn comes."""
        del self._paused[paused]
        self._lines[paused.batch.flow].line(paused).remove(paused)
        self._begin_again(paused)

    def retry(self, run: Run) -> None:
        """The run has lost its worker; it begins again when its turn comes."""
        self._release(run)
        self._begin_again(run)

    def done(self, run: Run) -> None:
        """Nothing more comes of the run; what is left of it waits again."""
        self._release(run)
        self._wait_again(run.batch, list(run.indices))

    def withdraw(self, batch: Batch) -> list[Worker]:
        """Nobody waits for the batch any more. The workers that stand half done with it."""
        batch.fresh.clear()
        lines = self._lines.get(batch.flow)
        if lines is None:
            return []
        if batch in lines.fresh:
            lines.fresh.remove(batch)
        runs = [run for run in (*lines.interrupted, *lines.long) if run.batch is batch]
        for run in runs:
            lines.line(run).remove(run)
            self._paused.pop(run, None)
        self._update(batch.flow)
        return [run.worker for run in runs if run.worker is not None]

    def _fresh_run(self, lines: _Lines) -> Run:
        batch = lines.fresh.popleft()
        share = math.ceil(len(batch.payloads) / (self._workers * CHUNKS_PER_WORKER))
        size = min(CHUNK_MOST, share, self._history(batch).chunk, len(batch.fresh))
        run = Run(batch, deque(batch.fresh.popleft() for _ in range(size)))
        if batch.fresh:
            lines.fresh.append(batch)
        return run

    def _hand_out(self, run: Run) -> None:
        self._paused.pop(run, None)
        self._of(run.batch.flow).running += 1
        self._update(run.batch.flow)

    def _release(self, run: Run) -> _Lines:
        lines = self._of(run.batch.flow)
        lines.running -= 1
        return lines

    def _begin_again(self, run: Run) -> None:
        if not run.batch.closed:
            self._spare_others(run)
            self._of(run.batch.flow).long.append(Run(run.batch, run.indices, long=True, guilty=run.guilty))
        self._update(run.batch.flow)

    def _spare_others(self, run: Run) -> None:
        """What is behind a run's first payload waits again, in front."""
        first, *others = run.indices
        run.indices = deque([first])
        self._wait_again(run.batch, others)

    def _wait_again(self, batch: Batch, indices: list[int]) -> None:
        lines = self._of(batch.flow)
        if indices and not batch.closed:
            batch.fresh.extendleft(reversed(indices))
            if batch not in lines.fresh:
                lines.fresh.appendleft(batch)
        self._update(batch.flow)

    def _of(self, flow: Flow) -> _Lines:
        if (lines := self._lines.get(flow)) is None:
            lines = self._lines[flow] = _Lines()
        return lines

    def _history(self, batch: Batch) -> History:
        if (history := self._histories.get(batch.function)) is None:
            history = self._histories[batch.function] = History()
        return history

    def _update(self, flow: Flow) -> None:
        """Who waits follows from what there is."""
        lines = self._of(flow)
        waits: dict[Kind, bool] = {"short": bool(lines.fresh), "long": bool(lines.long)}
        for kind, some in waits.items():
            lines.kinds.wait(kind) if some else lines.kinds.leave(kind)
        if not lines.empty:
            self._turns.wait(flow)
            return
        self._turns.leave(flow)
        if not lines.running:
            del self._lines[flow]

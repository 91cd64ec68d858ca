"""Fair shares between requests, by start-time fair queueing (Goyal, Vin and Cheng, 1996).

    begin_flow()                     # once per request; what it starts from here on belongs to this flow
    async with FairSemaphore(64):    # whoever waits is let in by the share that its flow has had
        ...

A *flow* is all that one request asks for. Each is charged for what it was given, and of those that wait the one that
was given least comes next. A flow that begins, or comes back, starts from where the others are: nobody saves up.
So a request of eight items waits for the turn of each other flow, however much these still have to do.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import MutableMapping
from contextvars import ContextVar
from itertools import count
from types import TracebackType
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

K = TypeVar("K")


class Flow:
    """All that one request asks for. Compared by identity."""


_flow: ContextVar[Flow | None] = ContextVar("flow", default=None)


def begin_flow() -> None:
    """What this task and those it creates ask for is a flow of its own from now on."""
    _flow.set(Flow())


def current_flow() -> Flow:
    """The flow of this task; one of its own for what belongs to none."""
    return _flow.get() or Flow()


class FairQueue(Generic[K]):
    """Whose turn it is: of the keys that wait, the one that was charged least.

    charged: where it keeps what each was charged, for as long as the key may come back.
    """

    def __init__(self, charged: MutableMapping[K, float] | None = None) -> None:
        # Where who waits anew starts: at what the last one served stood at, and at the most once nobody waits.
        self._now = self._most = 0.0
        self._charged: MutableMapping[K, float] = {} if charged is None else charged
        # Charges only grow, so an entry of the heap is at most too small; it is corrected when it comes up.
        self._heap: list[tuple[float, int, K]] = []
        self._entry: dict[K, int] = {}
        self._order = count()

    def wait(self, key: K) -> None:
        """`key` has something that waits."""
        if key not in self._entry:
            self._charged[key] = self.charged(key)
            self._push(key)

    def leave(self, key: K) -> None:
        """Nothing of `key` waits any more."""
        self._entry.pop(key, None)
        if not self._entry:
            self._now = self._most

    def first(self) -> K | None:
        """The key whose turn it is; None when none waits."""
        while self._heap:
            charged, order, key = self._heap[0]
            if self._entry.get(key) == order and self._charged[key] <= charged:
                return key
            heapq.heappop(self._heap)
            if self._entry.get(key) == order:
                self._push(key)
        return None

    def charge(self, key: K, cost: float) -> None:
        """`key` was given `cost`, in the unit of the queue's user."""
        before = self.charged(key)
        self._now = max(self._now, before)
        self._charged[key] = before + cost
        self._most = max(self._most, self._charged[key])

    def charged(self, key: K) -> float:
        """What `key` stands at, beside the others."""
        charged = self._charged.get(key, self._now)
        return charged if key in self._entry else max(charged, self._now)

    def _push(self, key: K) -> None:
        self._entry[key] = next(self._order)
        heapq.heappush(self._heap, (self._charged[key], self._entry[key], key))


def flow_queue() -> FairQueue[Flow]:
    """For flows, each of which is forgotten with its request: no idle moment may come in which all could be."""
    return FairQueue(WeakKeyDictionary())


class FairSemaphore:
    """`asyncio.Semaphore`, but those who wait are let in by the shares of their flows. Belongs to one event loop."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._turns = flow_queue()
        self._waiting: dict[Flow, deque[asyncio.Future[None]]] = {}

    async def __aenter__(self) -> None:
        flow = current_flow()
        if self._free > 0:
            self._free -= 1
            self._turns.charge(flow, 1.0)
            return
        let_in: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(flow, deque()).append(let_in)
        self._turns.wait(flow)
        try:
            await let_in
        except asyncio.CancelledError:
            if let_in.done() and not let_in.cancelled():
                self._pass_on()
            else:
                self._give_up(flow, let_in)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        flow = self._turns.first()
        if flow is None:
            self._free += 1
            return
        let_in = self._waiting[flow][0]
        self._turns.charge(flow, 1.0)
        self._give_up(flow, let_in)
        let_in.set_result(None)

    def _give_up(self, flow: Flow, let_in: asyncio.Future[None]) -> None:
        self._waiting[flow].remove(let_in)
        if not self._waiting[flow]:
            del self._waiting[flow]
            self._turns.leave(flow)

"""Work in flight, shared: whoever asks for a key that is being worked on waits for that work instead of doing it again.

A flight is one batch of keys and the task that works on them. It belongs to nobody: when the request that started
it goes away it goes on for the others that joined, and it is cancelled when nobody waits for any of its keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Landed(Generic[K, V]):
    """A key's value. `joined`: somebody else's flight carried it, under somebody else's deadline."""

    key: K
    value: V
    joined: bool


@dataclass(eq=False, slots=True)
class _Flight(Generic[K, V]):
    futures: dict[K, asyncio.Future[V]]
    waiters: int = 0
    task: asyncio.Task[None] | None = field(default=None)


class Flights(Generic[K, V]):
    """The flights of one event loop."""

    def __init__(self) -> None:
        self._by_key: dict[K, _Flight[K, V]] = {}
        # Held here because the event loop holds tasks only weakly.
        self._aloft: set[_Flight[K, V]] = set()

    def __len__(self) -> int:
        return len(self._by_key)

    async def aclose(self) -> None:
        """Call off what is still in the air, and wait until it is down."""
        tasks = {flight.task for flight in self._aloft if flight.task is not None}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run(
        self,
        wanted: Iterable[K],
        launch: Callable[[Sequence[K]], AsyncGenerator[tuple[K, V]]],
        *,
        deadline: float,
    ) -> AsyncGenerator[Landed[K, V]]:
        """Yield the values of distinct keys as they land; `launch` is called once with those nobody works on yet.

        Ends early at `deadline` (loop time): keys that have not landed by then are not yielded.
        Raises what `launch` raises, in every request that waits for one of its keys.
        """
        keys = list(wanted)
        own = [key for key in keys if key not in self._by_key]
        if own:
            self._take_off(own, launch)
        owned = frozenset(own)
        boarded = {key: self._by_key[key] for key in keys}
        flights = set(boarded.values())
        landed: asyncio.Queue[K] = asyncio.Queue()
        for flight in flights:
            flight.waiters += 1
        for key, flight in boarded.items():
            flight.futures[key].add_done_callback(lambda _, key=key: landed.put_nowait(key))
        try:
            awaited = len(keys)
            while awaited:
                try:
                    async with asyncio.timeout_at(deadline):
                        arrived = [await landed.get()]
                except TimeoutError:
                    return
                while not landed.empty():
                    arrived.append(landed.get_nowait())
                awaited -= len(arrived)
                for key in arrived:
                    yield Landed(key, boarded[key].futures[key].result(), key not in owned)
        finally:
            for flight in flights:
                self._leave(flight)

    def _take_off(self, keys: Sequence[K], launch: Callable[[Sequence[K]], AsyncGenerator[tuple[K, V]]]) -> None:
        loop = asyncio.get_running_loop()
        flight: _Flight[K, V] = _Flight({key: loop.create_future() for key in keys})
        for key in keys:
            self._by_key[key] = flight
        self._aloft.add(flight)
        flight.task = asyncio.create_task(self._fly(flight, launch(keys)))

    async def _fly(self, flight: _Flight[K, V], values: AsyncGenerator[tuple[K, V]]) -> None:
        try:
            async with aclosing(values):
                async for key, value in values:
                    self._land(flight, key).set_result(value)
            self._crash(flight, RuntimeError("work ended without a value for every key"))
        except Exception as error:
            self._crash(flight, error)
        finally:
            self._aloft.discard(flight)
            self._ground(flight)

    def _land(self, flight: _Flight[K, V], key: K) -> asyncio.Future[V]:
        if self._by_key.get(key) is flight:
            del self._by_key[key]
        return flight.futures[key]

    def _crash(self, flight: _Flight[K, V], error: Exception) -> None:
        for future in flight.futures.values():
            if not future.done():
                future.set_exception(error)
                # Read here, so that a future nobody waits for is not reported as a forgotten exception.
                future.exception()

    def _ground(self, flight: _Flight[K, V]) -> None:
        """Nobody may join a flight that has ended or was called off."""
        for key in flight.futures:
            if self._by_key.get(key) is flight:
                del self._by_key[key]

    def _leave(self, flight: _Flight[K, V]) -> None:
        flight.waiters -= 1
        # A flight whose keys have all landed may still be writing them back: it is left to finish.
        if flight.waiters == 0 and flight.task is not None and not all(f.done() for f in flight.futures.values()):
            self._ground(flight)
            flight.task.cancel()

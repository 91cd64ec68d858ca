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

from perception_reward.service.pace import Pace

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
    """aloft: the keys that have not landed. No object is made for a key: a request may have a hundred thousand."""

    aloft: dict[K, None] = field(default_factory=dict[K, None])
    passengers: set[_Passenger[K, V]] = field(default_factory=lambda: set())
    task: asyncio.Task[None] | None = None


@dataclass(eq=False, slots=True)
class _Passenger(Generic[K, V]):
    """Who waits. boarded: for what keys, and with what flights. landed: what has come, or the error of a flight."""

    boarded: dict[K, _Flight[K, V]] = field(default_factory=dict[K, _Flight[K, V]])
    flights: set[_Flight[K, V]] = field(default_factory=lambda: set())
    landed: asyncio.Queue[tuple[K, V] | Exception] = field(default_factory=lambda: asyncio.Queue())


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
        own, passenger = _Flight[K, V](), _Passenger[K, V]()
        try:
            try:
                await self._board(passenger, wanted, own)
            finally:  # also where this ends here: others may have boarded it meanwhile
                if own.aloft:
                    self._take_off(own, launch)
            landed, awaited = passenger.landed, len(passenger.boarded)
            while awaited:
                try:
                    async with asyncio.timeout_at(deadline):
                        arrived = [await landed.get()]
                except TimeoutError:
                    return
                while not landed.empty():
                    arrived.append(landed.get_nowait())
                awaited -= len(arrived)
                for one in arrived:
                    if isinstance(one, Exception):
                        raise one
                    yield Landed(*one, passenger.boarded[one[0]] is not own)
        finally:
            for flight in passenger.flights:
                self._leave(flight, passenger)

    async def _board(self, passenger: _Passenger[K, V], wanted: Iterable[K], own: _Flight[K, V]) -> None:
        """Join the flights of the keys that are aloft; `own` takes the others."""
        pace = Pace()
        for key in wanted:
            flight = passenger.boarded[key] = self._by_key.setdefault(key, own)
            if flight is own:
                own.aloft[key] = None
            flight.passengers.add(passenger)
            passenger.flights.add(flight)
            await pace.keep()

    def _take_off(self, flight: _Flight[K, V], launch: Callable[[Sequence[K]], AsyncGenerator[tuple[K, V]]]) -> None:
        self._aloft.add(flight)
        flight.task = asyncio.create_task(self._fly(flight, launch(list(flight.aloft))))
        flight.task.add_done_callback(lambda _: self._aloft.discard(flight))

    async def _fly(self, flight: _Flight[K, V], values: AsyncGenerator[tuple[K, V]]) -> None:
        pace = Pace()
        try:
            async with aclosing(values):
                async for key, value in values:
                    self._land(flight, key, value)
                    await pace.keep()
            self._crash(flight, RuntimeError("work ended without a value for every key"))
        except Exception as error:
            self._crash(flight, error)
        finally:
            self._ground(flight)

    def _land(self, flight: _Flight[K, V], key: K, value: V) -> None:
        del flight.aloft[key]
        if self._by_key.get(key) is flight:
            del self._by_key[key]
        for passenger in flight.passengers:
            if passenger.boarded.get(key) is flight:
                passenger.landed.put_nowait((key, value))

    def _crash(self, flight: _Flight[K, V], error: Exception) -> None:
        """Tell those who wait for a key that has not landed."""
        for passenger in flight.passengers:
            if any(passenger.boarded.get(key) is flight for key in flight.aloft):
                passenger.landed.put_nowait(error)

    def _ground(self, flight: _Flight[K, V]) -> None:
        """Nobody may join a flight that has ended or was called off."""
        for key in flight.aloft:
            if self._by_key.get(key) is flight:
                del self._by_key[key]

    def _leave(self, flight: _Flight[K, V], passenger: _Passenger[K, V]) -> None:
        flight.passengers.discard(passenger)
        # A flight whose keys have all landed may still be writing them back: it is left to finish.
        if not flight.passengers and flight.task is not None and flight.aloft:
            self._ground(flight)
            flight.task.cancel()

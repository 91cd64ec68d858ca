from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import pytest

from perception_reward.service.scoring.flights import Flights, Landed

Launch = Callable[[Sequence[str]], AsyncGenerator[tuple[str, int]]]


class Work:
    """Work whose values land when the test says so, and that knows how often it was launched and cancelled."""

    def __init__(self) -> None:
        self.launched: list[list[str]] = []
        self.cancelled = 0
        self.started = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, keys: Sequence[str]) -> AsyncGenerator[tuple[str, int]]:
        self.launched.append(list(keys))
        self.started.set()
        try:
            await self.go.wait()
            for key in keys:
                yield key, len(key)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def soon(seconds: float = 30) -> float:
    return asyncio.get_running_loop().time() + seconds


async def collect(flights: Flights[str, int], keys: Sequence[str], work: Launch, deadline: float) -> list[Landed]:
    return [landed async for landed in flights.run(keys, work, deadline=deadline)]


async def test_values_land_for_every_key():
    work, flights = Work(), Flights[str, int]()
    work.go.set()
    landed = await collect(flights, ["a", "bb"], work, soon())
    assert {value.key: value.value for value in landed} == {"a": 1, "bb": 2}
    assert not any(value.joined for value in landed)
    assert len(flights) == 0


async def test_a_key_in_flight_is_not_launched_again():
    work, flights = Work(), Flights[str, int]()
    first = asyncio.create_task(collect(flights, ["a", "bb"], work, soon()))
    await work.started.wait()
    second = asyncio.create_task(collect(flights, ["bb", "ccc"], work, soon()))
    while len(work.launched) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0)
    work.go.set()
    await first
    landed = {value.key: value.joined for value in await second}
    assert work.launched == [["a", "bb"], ["ccc"]]
    assert landed == {"bb": True, "ccc": False}


async def test_work_goes_on_for_those_who_joined_when_its_starter_goes_away():
    work, flights = Work(), Flights[str, int]()
    first = asyncio.create_task(collect(flights, ["a"], work, soon()))
    await work.started.wait()
    second = asyncio.create_task(collect(flights, ["a"], work, soon()))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    work.go.set()
    assert [value.value for value in await second] == [1]
    assert work.cancelled == 0


async def test_work_is_cancelled_when_nobody_waits_any_more():
    work, flights = Work(), Flights[str, int]()
    task = asyncio.create_task(collect(flights, ["a"], work, soon()))
    await work.started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await flights.aclose()
    assert work.cancelled == 1
    assert len(flights) == 0


async def test_called_off_work_is_not_joined():
    work, flights = Work(), Flights[str, int]()
    task = asyncio.create_task(collect(flights, ["a"], work, soon()))
    await work.started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    work.go.set()
    assert [value.joined for value in await collect(flights, ["a"], work, soon())] == [False]


async def test_keys_that_have_not_landed_by_the_deadline_are_left_out():
    work, flights = Work(), Flights[str, int]()
    assert await collect(flights, ["a"], work, soon(0.01)) == []


async def test_an_error_reaches_everybody_who_waits():
    async def broken(keys: Sequence[str]) -> AsyncGenerator[tuple[str, int]]:
        yield keys[0], 1
        raise ValueError("broken")

    flights = Flights[str, int]()
    with pytest.raises(ValueError, match="broken"):
        await collect(flights, ["a", "b"], broken, soon())
    assert len(flights) == 0


async def test_work_without_a_value_for_every_key_is_an_error():
    async def lazy(keys: Sequence[str]) -> AsyncGenerator[tuple[str, int]]:
        yield keys[0], 1

    with pytest.raises(RuntimeError, match="without a value"):
        await collect(Flights[str, int](), ["a", "b"], lazy, soon())


async def test_a_flight_whose_keys_have_landed_finishes_what_it_does_afterwards():
    written = asyncio.Event()

    async def writing(keys: Sequence[str]) -> AsyncGenerator[tuple[str, int]]:
        for key in keys:
            yield key, 1
        await asyncio.sleep(0)
        written.set()

    await collect(Flights[str, int](), ["a"], writing, soon())
    async with asyncio.timeout(5):
        await written.wait()


async def test_a_starter_that_goes_away_while_it_boards_leaves_nobody_behind():
    work, flights = Work(), Flights[str, int]()
    many = [f"{number}" for number in range(100_000)]
    first = asyncio.create_task(collect(flights, many, work, soon()))
    while not len(flights):  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert len(flights) < len(many)
    second = asyncio.create_task(collect(flights, ["0"], work, soon()))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    work.go.set()
    assert [(value.value, value.joined) for value in await second] == [(1, True)]
    assert len(work.launched) == 1


async def test_a_value_that_comes_twice_is_an_error():
    async def twice(keys: Sequence[str]) -> AsyncGenerator[tuple[str, int]]:
        yield keys[0], 1
        yield keys[0], 1

    with pytest.raises(KeyError):
        await collect(Flights[str, int](), ["a", "b"], twice, soon())

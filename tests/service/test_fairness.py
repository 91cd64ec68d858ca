from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.fairness import FairQueue, FairSemaphore, Flow, begin_flow, current_flow, flow_queue


def test_who_was_charged_least_comes_first() -> None:
    queue: FairQueue[str] = FairQueue()
    for key in "abc":
        queue.wait(key)
    served: list[str | None] = []
    for _ in range(6):
        served.append(key := queue.first())
        queue.charge(key or "", 3.0 if key == "a" else 1.0)
    assert served == ["a", "b", "c", "b", "c", "b"]


def test_who_comes_later_starts_from_where_the_others_are() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.wait("old")
    for _ in range(100):
        queue.charge("old", 1.0)
    queue.wait("new")
    shares = {"old": 0, "new": 0}
    for _ in range(20):
        key = queue.first() or ""
        shares[key] += 1
        queue.charge(key, 1.0)
    assert abs(shares["old"] - shares["new"]) <= 2


def test_nobody_saves_up_by_being_away() -> None:
    queue: FairQueue[str] = FairQueue()
    for key in ("away", "here"):
        queue.wait(key)
        queue.charge(key, 1.0)
    queue.leave("away")
    for _ in range(50):
        queue.charge("here", 1.0)
    queue.wait("away")
    assert queue.charged("away") >= queue.charged("here") - 1.0


def test_nothing_waits_once_all_have_left() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.wait("a")
    queue.leave("a")
    assert queue.first() is None


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0.1, 10.0)), max_size=60))
def test_the_first_of_those_who_wait_was_never_charged_more_than_another(steps: list[tuple[str, float]]) -> None:
    queue: FairQueue[str] = FairQueue()
    waiting: set[str] = set()
    for key, cost in steps:
        queue.charge(key, cost)
        queue.leave(key) if key in waiting else queue.wait(key)
        waiting ^= {key}
        first = queue.first()
        assert (first is None) == (not waiting)
        if first is not None:
            assert first in waiting
            assert queue.charged(first) == min(map(queue.charged, waiting))


def test_a_flow_is_forgotten_with_its_request_also_where_some_always_wait() -> None:
    queue, before = flow_queue(), Flow()
    queue.wait(before)
    for _ in range(5000):
        flow = Flow()
        queue.wait(flow)
        served = queue.first()
        assert served is not None
        queue.charge(served, 1.0)
        queue.leave(before)
        before = flow
    del flow, served
    assert len(queue._charged) <= 2
    assert len(queue._heap) <= 2


async def visit(places: FairSemaphore, name: str, visits: int, order: list[str]) -> None:
    begin_flow()

    async def once() -> None:
        async with places:
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(once() for _ in range(visits)))


async def test_a_small_flow_is_let_in_among_a_large_one() -> None:
    places, order = FairSemaphore(2), list[str]()
    large = asyncio.create_task(visit(places, "large", 200, order))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await visit_alone(places, order)
    assert order.index("small") < 12
    assert len(order) - order[::-1].index("small") < 40
    await large


async def visit_alone(places: FairSemaphore, order: list[str]) -> None:
    await asyncio.create_task(visit(places, "small", 8, order))


async def test_no_more_are_inside_than_there_are_places() -> None:
    places, inside, most = FairSemaphore(3), 0, 0

    async def once() -> None:
        nonlocal inside, most
        async with places:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(once() for _ in range(50)))
    assert most == 3


@pytest.mark.parametrize("let_in_first", [False, True])
async def test_who_is_cancelled_takes_no_place_away(let_in_first: bool) -> None:
    places = FairSemaphore(1)
    entered = asyncio.Event()

    async def enter() -> None:
        async with places:
            entered.set()

    async with places:
        waiting = asyncio.create_task(enter())
        await asyncio.sleep(0)
        if not let_in_first:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5):
        await enter()


async def test_what_a_task_creates_belongs_to_its_flow() -> None:
    begin_flow()
    mine = current_flow()

    async def here() -> object:
        return current_flow()

    async def other() -> object:
        begin_flow()
        return current_flow()

    assert await asyncio.create_task(here()) is mine
    assert await asyncio.create_task(other()) is not mine
    assert current_flow() is mine

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from perception_reward.trainer_client import InvalidItem, RewardClient, ServiceUnavailable

PATIENCE = 60.0
# Long enough that all items of a test arrive in it on a busy machine: a full batch does not wait for its end.
TOGETHER = 5.0

MakeItem = Callable[..., dict[str, Any]]


async def test_items_that_arrive_together_leave_together(server: Any, make_item: MakeItem) -> None:
    async with RewardClient(server.url, timeout=PATIENCE, batch_wait=TOGETHER, batch_size=100) as client:
        results = await asyncio.gather(*(client.score_one(make_item(n)) for n in range(200)))
    assert [result.id for result in results] == [f"r-{n}" for n in range(200)]
    assert [len(body["items"]) for body in server.asked] == [100, 100]


async def test_an_item_alone_does_not_wait_long(server: Any, make_item: MakeItem) -> None:
    async with RewardClient(server.url, timeout=PATIENCE) as client:
        assert (await client.score_one(make_item(), step=3)).score == 1.0
    assert [(body["step"], len(body["items"])) for body in server.asked] == [(3, 1)]


async def test_items_of_different_steps_go_apart(server: Any, make_item: MakeItem) -> None:
    async with RewardClient(server.url, timeout=PATIENCE, batch_wait=TOGETHER, batch_size=2) as client:
        await asyncio.gather(*(client.score_one(make_item(n), step=n % 2) for n in range(4)))
    assert sorted((body["step"], len(body["items"])) for body in server.asked) == [(0, 2), (1, 2)]


async def test_a_bad_item_fails_alone(server: Any, make_item: MakeItem) -> None:
    server.script = [server.refuses(422, "items[2].response")]
    async with RewardClient(server.url, timeout=PATIENCE, batch_wait=TOGETHER, batch_size=4) as client:
        results = await asyncio.gather(*(client.score_one(make_item(n)) for n in range(4)), return_exceptions=True)
    assert isinstance(results[2], InvalidItem)
    assert [getattr(result, "id", None) for result in results] == ["r-0", "r-1", None, "r-3"]


async def test_an_item_without_json_fails_before_it_joins_others(server: Any, make_item: MakeItem) -> None:
    async with RewardClient(server.url, timeout=PATIENCE, batch_wait=TOGETHER, batch_size=1) as client:
        with pytest.raises(InvalidItem):
            await client.score_one(make_item(answer=object()))
        assert (await client.score_one(make_item())).score == 1.0


async def test_a_refusal_that_is_about_no_item_is_everyone_s(server: Any, make_item: MakeItem) -> None:
    server.reply = server.refuses(422, "profile")
    async with RewardClient(server.url, timeout=PATIENCE, batch_wait=TOGETHER, batch_size=3) as client:
        results = await asyncio.gather(*(client.score_one(make_item(n)) for n in range(3)), return_exceptions=True)
    assert all(isinstance(result, InvalidItem) for result in results)
    assert len(server.asked) == 1


async def test_an_outage_is_everyone_s(server: Any, make_item: MakeItem) -> None:
    await server.kill()
    async with RewardClient(server.url, timeout=0.2, batch_wait=0.01) as client:
        results = await asyncio.gather(*(client.score_one(make_item(n)) for n in range(3)), return_exceptions=True)
    assert all(isinstance(result, ServiceUnavailable) for result in results)


async def test_a_request_that_nobody_waits_for_any_more_is_given_up(server: Any, make_item: MakeItem) -> None:
    server.reply = server.hang
    async with RewardClient(server.url, timeout=PATIENCE, batch_wait=TOGETHER, batch_size=2) as client:
        calls = [asyncio.create_task(client.score_one(make_item(n))) for n in range(2)]
        await server.arrived.wait()
        for call in calls:
            call.cancel()
        await server.gone.wait()


async def test_who_goes_away_leaves_the_others_their_results(server: Any, make_item: MakeItem) -> None:
    may_answer = asyncio.Event()

    async def later(request: Any, body: dict[str, Any]) -> Any:
        await may_answer.wait()
        return await server.scores(request, body)

    server.reply = later
    async with RewardClient(server.url, timeout=PATIENCE, batch_wait=TOGETHER, batch_size=2) as client:
        calls = [asyncio.create_task(client.score_one(make_item(n))) for n in range(2)]
        await server.arrived.wait()
        calls[0].cancel()
        may_answer.set()
        assert (await calls[1]).id == "r-1"

"""How often the judge is asked the same thing: within one replica, and by three that share a Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeAlias

import pytest

from perception_reward.trainer_client import RewardClient

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]

RANKS = 8

Items: TypeAlias = Sequence[dict[str, Any]]
Send: TypeAlias = Callable[[Callable[[], RewardClient], Items], Awaitable[None]]


async def whole_groups(make: Callable[[], RewardClient], items: Items) -> None:
    """Each rank scores the groups that it generated, in one request."""
    await ranks(make, [items[rank * len(items) // RANKS : (rank + 1) * len(items) // RANKS] for rank in range(RANKS)])


async def dealt_groups(make: Callable[[], RewardClient], items: Items) -> None:
    """Each rank has one response of each group."""
    await ranks(make, [items[rank::RANKS] for rank in range(RANKS)])


async def ranks(make: Callable[[], RewardClient], shares: Sequence[Items]) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(make()) for _ in shares]
        answers = await asyncio.gather(*(client.score(share) for client, share in zip(clients, shares, strict=True)))
    assert all(result.status == "ok" for results in answers for result in results)


async def singles(make: Callable[[], RewardClient], items: Items) -> None:
    """Each response is scored by itself as soon as it is there, as in trainers without batches."""
    async with make() as client:
        results = await asyncio.gather(*(client.score_one(item) for item in items))
    assert all(result.status == "ok" for result in results)


WAYS: dict[str, Send] = {
    "each of 8 ranks scores its own 16 groups": whole_groups,
    "each of 8 ranks has one response of each group": dealt_groups,
    "each response by itself (`score_one`)": singles,
}


async def test_a_fact_is_judged_once_by_a_replica_and_seldom_twice_by_three(
    topology: Any, rollouts: Any, write_section: Callable[[str, str], None]
):
    def alone() -> RewardClient:
        return RewardClient(topology.alone.url, topology.key, check=False)

    rows: list[str] = []
    for number, (way, send) in enumerate(WAYS.items()):
        items = rollouts.burst(80_000_000 + number)
        distinct, asked = rollouts.facts_of(items), len(items) * rollouts.FACTS
        one = await calls(topology, send, alone, items)
        three = await calls(topology, send, topology.client, items)
        again = await calls(topology, send, topology.client, items)
        rows.append(f"| {way} | {asked} | {distinct} | {one / distinct:.3f} | {three / distinct:.3f} | {again} |")
        assert one == distinct
        # What is said twice is asked by two replicas at most as often as it is said.
        assert distinct <= three <= asked
        assert again == 0
    head = (
        "| how a burst of 1,024 is sent | facts | distinct | judged by one replica | by three | the same burst again |"
    )
    write_section("replicas", "\n".join([head, "|---|---|---|---|---|---|", *rows]))


async def calls(topology: Any, send: Send, make: Callable[[], RewardClient], items: Items) -> int:
    """How many questions the judge servers are asked meanwhile."""
    for judge in topology.judges:
        await asyncio.to_thread(judge.asked)
    await send(make, items)
    return sum([(await asyncio.to_thread(judge.asked)).total() for judge in topology.judges])

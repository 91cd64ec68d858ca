"""Whatever is killed comes back: workers, the process that they are forked from, at any moment."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import suppress

import psutil
import pytest

from perception_reward.service.processes import supervisor
from perception_reward.service.processes.outcomes import Unavailable
from perception_reward.service.processes.pool import WorkerPool

SECONDS = float(os.environ.get("PERCEPTION_REWARD_KILLING_SECONDS", "8"))


def fork_servers() -> list[psutil.Process]:
    """Those of this process. It has other children, such as a service that other tests share."""
    found: list[psutil.Process] = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # killed, and not yet waited for
            if "fork_server" in " ".join(child.cmdline()):
                found.append(child)
    return found


@pytest.fixture
async def pool(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WorkerPool]:
    monkeypatch.setattr(supervisor, "LONGEST_BACKOFF", 0.5)
    pool = WorkerPool(2, memory_mb=512)
    await pool.start()
    yield pool
    await pool.aclose()


async def answers(pool: WorkerPool, payloads: int = 20, within: float = 30.0) -> list[object]:
    deadline = asyncio.get_running_loop().time() + within
    return [found async for _, found in pool.map(eval, ["6*7"] * payloads, deadline=deadline)]


async def all_is_well(pool: WorkerPool) -> None:
    async with asyncio.timeout(40):
        # While none lives, a payload is told so rather than kept waiting.
        while await answers(pool) != [42] * 20 or pool.living != 2:  # noqa: ASYNC110 - it gives no sign
            await asyncio.sleep(0.05)
    assert pool.outage is None


def kill_some(dice: random.Random) -> None:
    for server in fork_servers():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            victims = [server] if dice.random() < 0.2 else server.children()
            for victim in victims:
                if victim is server or dice.random() < 0.6:
                    os.kill(victim.pid, dice.choice([signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSEGV]))


@pytest.mark.timeout(240)
async def test_killed_at_random_moments_all_is_well_within_seconds(pool: WorkerPool) -> None:
    dice = random.Random(20)
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS
    asked: list[asyncio.Task[list[object]]] = []
    while loop.time() < end:
        asked.append(asyncio.create_task(answers(pool, within=SECONDS + 30)))
        await asyncio.sleep(dice.uniform(0.0, 0.4))
        kill_some(dice)
    await all_is_well(pool)
    # A payload may have met two kills; none is answered wrongly, and none is forgotten.
    for found in await asyncio.gather(*asked):
        assert len(found) == 20
        assert all(each == 42 or not isinstance(each, int) for each in found)


async def test_without_descriptors_no_place_is_lost(pool: WorkerPool, caplog: pytest.LogCaptureFixture) -> None:
    (server,) = fork_servers()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with caplog.at_level(logging.INFO):
            os.kill(server.pid, signal.SIGKILL)
            async with asyncio.timeout(30):
                while pool.outage is None:  # noqa: ASYNC110 - it gives no sign
                    await asyncio.sleep(0.05)
            assert pool.living == 0
            (found,) = set(await answers(pool, 5, within=1.0))
            assert isinstance(found, Unavailable)
            assert "open files" in found.detail
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with caplog.at_level(logging.INFO):
        await all_is_well(pool)
    told = [record.message for record in caplog.records]
    assert told.count("no worker can be started; it is tried again until one can") == 1
    assert told.count("workers can be started again") == 1


async def test_a_stopped_worker_holds_nothing_up(pool: WorkerPool) -> None:
    (server,) = fork_servers()
    for worker in server.children():
        worker.suspend()
    async with asyncio.timeout(30):
        assert await answers(pool) == [42] * 20


async def test_a_stopped_fork_server_is_replaced_when_it_is_needed(pool: WorkerPool) -> None:
    (server,) = fork_servers()
    workers = server.children()
    server.suspend()
    for worker in workers:
        worker.kill()
    async with asyncio.timeout(60):
        assert await answers(pool, within=60) == [42] * 20
    assert server.pid not in {child.pid for child in fork_servers()}

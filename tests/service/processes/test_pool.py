"""The pool, with real processes. Payloads are expressions for `eval`, which every worker can name."""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import psutil
import pytest

from perception_reward.service.processes.handles import WorkersUnavailable
from perception_reward.service.processes.outcomes import Crashed, TimedOut
from perception_reward.service.processes.pool import WorkerPool

FOREVER = "__import__('time').sleep(1000)"
BUSY_IN_C = "9**9**9**9"


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(2, memory_mb=1024)
    await pool.start()
    yield pool
    await pool.aclose()


async def outcomes(
    pool: WorkerPool, payloads: Sequence[Any], *, within: float = 30.0, time_limit: float | None = None
) -> list[Any]:
    deadline = asyncio.get_running_loop().time() + within
    found = {i: o async for i, o in pool.map(eval, payloads, deadline=deadline, time_limit=time_limit)}
    assert sorted(found) == list(range(len(payloads)))
    return [found[index] for index in sorted(found)]


async def test_every_payload_comes_back_once_with_its_index(pool: WorkerPool) -> None:
    deadline = asyncio.get_running_loop().time() + 30
    pairs = [pair async for pair in pool.map(operator.neg, range(1000), deadline=deadline)]
    assert sorted(pairs) == [(index, -index) for index in range(1000)]


async def test_no_payloads_give_no_outcomes(pool: WorkerPool) -> None:
    assert await outcomes(pool, []) == []


@pytest.mark.parametrize("hang", [FOREVER, BUSY_IN_C], ids=["asleep", "in C code"])
async def test_a_hanging_payload_alone_is_timed_out(pool: WorkerPool, hang: str) -> None:
    found = await outcomes(pool, ["1+1", hang, "2+2", *["3"] * 60], time_limit=0.4)
    assert found == [2, TimedOut(), 4, *[3] * 60]


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        ("bytes(10**11)", "MemoryError"),
        ("__import__('os').abort()", "SIGABRT"),
        ("__import__('os')._exit(3)", "status 3"),
        ("__import__('os').kill(__import__('os').getpid(), 9)", "SIGKILL"),
        ("1/0", "ZeroDivisionError: division by zero"),
        ("__import__('sys').exit(1)", "SystemExit"),
        ("lambda: 0", "pickle"),
    ],
)
async def test_a_crashing_payload_alone_is_crashed(pool: WorkerPool, payload: str, detail: str) -> None:
    first, crashed, *others = await outcomes(pool, ["1", payload, *["1"] * 40])
    assert isinstance(crashed, Crashed)
    assert detail in crashed.detail
    assert [first, *others] == [1] * 41


async def test_a_time_out_says_whether_the_payload_computed_or_waited(pool: WorkerPool) -> None:
    busy, asleep = await outcomes(pool, [BUSY_IN_C, FOREVER], time_limit=0.4)
    (late,) = await outcomes(pool, ["1"], within=-1)
    assert (busy.cpu, asleep.cpu, late.cpu) == (True, False, False)


async def test_a_crash_says_whether_memory_was_the_cause(pool: WorkerPool) -> None:
    bomb, exits = await outcomes(pool, ["bytes(10**11)", "__import__('os')._exit(3)"])
    assert (bomb.memory, exits.memory) == (True, False)


async def test_payloads_past_the_deadline_are_timed_out(pool: WorkerPool) -> None:
    started = time.monotonic()
    found = await outcomes(pool, [FOREVER] * 40, within=0.5)
    assert found == [TimedOut()] * 40
    assert time.monotonic() - started < 20


async def test_a_slow_payload_gets_its_whole_time_limit_on_the_second_try(pool: WorkerPool) -> None:
    slow = "sum(range(60_000_000)) and 7"
    assert await outcomes(pool, [slow, "1"], time_limit=20) == [7, 1]


async def test_innocents_among_many_hanging_payloads_are_answered_first(pool: WorkerPool) -> None:
    payloads = [BUSY_IN_C if index % 16 == 0 else "1" for index in range(128)]
    loop = asyncio.get_running_loop()
    order = [o async for _, o in pool.map(eval, payloads, deadline=loop.time() + 15, time_limit=20)]
    assert order[:120] == [1] * 120
    assert order[120:] == [TimedOut()] * 8


async def test_a_batch_is_served_while_another_hangs(pool: WorkerPool) -> None:
    stuck = asyncio.create_task(outcomes(pool, [FOREVER] * 4, within=20, time_limit=20))
    assert await outcomes(pool, ["1"] * 50, within=15) == [1] * 50
    assert not stuck.done()
    stuck.cancel()
    await asyncio.gather(stuck, return_exceptions=True)


async def test_a_small_batch_is_answered_while_another_keeps_every_worker_computing(pool: WorkerPool) -> None:
    large = asyncio.create_task(outcomes(pool, [BUSY_IN_C] * 100, within=60, time_limit=20))
    await asyncio.sleep(1)
    assert await outcomes(pool, ["1"] * 8, within=20) == [1] * 8
    assert not large.done()
    large.cancel()
    await asyncio.gather(large, return_exceptions=True)


async def test_long_payloads_that_end_are_not_begun_again_for_others() -> None:
    restarts: list[None] = []
    pool = WorkerPool(2, on_restart=lambda: restarts.append(None))
    await pool.start()
    long = "sum(range(20_000_000)) and 7"
    first, second = await asyncio.gather(
        outcomes(pool, [long] * 6, within=100), outcomes(pool, ["1"] * 200, within=100)
    )
    await pool.aclose()
    assert (first, second) == ([7] * 6, [1] * 200)
    assert restarts == []


async def test_closing_the_iterator_early_drops_what_waits(pool: WorkerPool) -> None:
    deadline = asyncio.get_running_loop().time() + 30
    async with aclosing(pool.map(eval, ["1", *[FOREVER] * 99], deadline=deadline)) as stream:
        async for pair in stream:
            assert pair == (0, 1)
            assert pool.queue_depth > 0
            break
    assert pool.queue_depth == 0
    assert await outcomes(pool, ["5"]) == [5]


async def test_a_killed_idle_worker_is_replaced() -> None:
    restarted = asyncio.Event()
    pool = WorkerPool(1, on_restart=restarted.set)
    await pool.start()
    [pid] = await outcomes(pool, ["__import__('os').getpid()"])
    os.kill(pid, signal.SIGKILL)
    [other] = await outcomes(pool, ["__import__('os').getpid()"])
    assert other != pid
    assert restarted.is_set()
    await pool.aclose()


async def test_the_pool_survives_the_death_of_the_process_workers_come_from(pool: WorkerPool) -> None:
    [parent] = await outcomes(pool, ["__import__('os').getppid()"])
    os.kill(parent, signal.SIGKILL)
    assert await outcomes(pool, ["1"] * 10) == [1] * 10


async def test_pools_are_independent(pool: WorkerPool) -> None:
    other = WorkerPool(1, memory_mb=512)
    await other.start()
    await other.aclose()
    assert await outcomes(pool, ["1"]) == [1]


async def test_closing_ends_every_process_and_what_still_runs() -> None:
    before = set(psutil.Process().children(recursive=True))
    pool = WorkerPool(2)
    await pool.start()
    running = asyncio.create_task(outcomes(pool, [FOREVER] * 3))
    pids = await outcomes(pool, ["__import__('os').getpid()"] * 8)
    await pool.aclose()
    assert await running == [Crashed("the worker pool was closed")] * 3
    gone, alive = psutil.wait_procs([psutil.Process(pid) for pid in set(pids) if psutil.pid_exists(pid)], 5)
    assert not alive, gone
    assert set(psutil.Process().children(recursive=True)) <= before


async def test_a_module_that_cannot_be_imported_is_named_at_the_start() -> None:
    pool = WorkerPool(1, preload=["no_such_module"])
    with pytest.raises(WorkersUnavailable, match="no_such_module"):
        await pool.start()
    await pool.aclose()


async def test_mapping_before_the_start_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match=r"await start\(\) first"):
        await outcomes(WorkerPool(1), ["1"])


def test_a_pool_without_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        WorkerPool(0)


ABANDON = """
import asyncio, os
from perception_reward.service.processes.pool import WorkerPool
async def main():
    pool = WorkerPool(2)
    await pool.start()
    deadline = asyncio.get_running_loop().time() + 60
    async for _, pid in pool.map(eval, ["__import__('os').getpid()"], deadline=deadline):
        print(pid, flush=True)
    async for _ in pool.map(eval, ["__import__('time').sleep(1000)"] * 2, deadline=deadline, time_limit=50):
        pass
asyncio.run(main())
"""


def test_no_worker_outlives_a_killed_service() -> None:
    with subprocess.Popen([sys.executable, "-c", ABANDON], stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        int(service.stdout.readline())
        family = psutil.Process(service.pid).children(recursive=True)
        service.kill()
    assert len(family) == 3
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive


async def test_workers_that_die_idle_are_replaced_before_anybody_waits_for_them() -> None:
    restarted = asyncio.Event()
    pool = WorkerPool(1, on_restart=restarted.set)
    before = set(psutil.Process().children())
    await pool.start()
    (fork_server,) = set(psutil.Process().children()) - before
    fork_server.kill()
    async with asyncio.timeout(30):
        await restarted.wait()
    assert await outcomes(pool, ["1+1"]) == [2]
    await pool.aclose()

"""Each part killed, hung, slow and talking garbage, under load: what a client sees of it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import pytest

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]

# Seconds that a fault lasts. What hangs does so for longer than anything here is waited for before it is doubted.
HOLD, HANG = 8.0, 30.0
# Of a second, what a process that is slow gets to run.
RUNS = 0.15
RECOVERY_SECONDS = 60.0
# What deploy/nginx gives a replica that says nothing.
SILENT_SECONDS = 20.0
# A call that begins as a fault does waits for its end at most, and is then answered as ever on a busy machine.
BUSY_SECONDS = 30.0

Fault: TypeAlias = Callable[[Any], AbstractAsyncContextManager[None]]


@dataclasses.dataclass(frozen=True)
class Cell:
    """reasons: what may be missing while the fault lasts; nothing, unless it is named here. waits: whether a call may
    wait for its end; where not, others stand in long before.
    """

    part: str
    fault: str
    bring_about: Fault
    reasons: frozenset[str] = frozenset()
    hold: float = HOLD
    waits: bool = True


# How a process is made to hang, or to be slow


@asynccontextmanager
async def stopped(processes: Sequence[psutil.Process]) -> AsyncIterator[None]:
    send(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        send(processes, signal.SIGCONT)


@asynccontextmanager
async def slowed(processes: Sequence[psutil.Process]) -> AsyncIterator[None]:
    """They get a fraction of each second."""

    async def take_turns() -> None:
        while True:
            send(processes, signal.SIGSTOP)
            await asyncio.sleep(1 - RUNS)
            send(processes, signal.SIGCONT)
            await asyncio.sleep(RUNS)

    turns = asyncio.create_task(take_turns())
    try:
        yield
    finally:
        turns.cancel()
        await asyncio.gather(turns, return_exceptions=True)
        send(processes, signal.SIGCONT)


def send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)


# Redis


@asynccontextmanager
async def redis_killed(topology: Any) -> AsyncIterator[None]:
    await asyncio.to_thread(topology.redis.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(topology.redis.start)


def redis_hangs(topology: Any) -> AbstractAsyncContextManager[None]:
    return stopped([psutil.Process(topology.redis.pid)])


def link_says(words: str) -> Fault:
    @asynccontextmanager
    async def garbled(topology: Any) -> AsyncIterator[None]:
        topology.link.behave(words)
        try:
            yield
        finally:
            topology.link.behave("well")

    return garbled


# The judge: one of its two servers, or both


def killed_judges(count: int) -> Fault:
    @asynccontextmanager
    async def killed(topology: Any) -> AsyncIterator[None]:
        for judge in topology.judges[:count]:
            judge.stop(signal.SIGKILL)
        try:
            yield
        finally:
            for judge in topology.judges[:count]:
                await asyncio.to_thread(judge.start)

    return killed


def hung_judges(count: int) -> Fault:
    return lambda topology: stopped([psutil.Process(judge.pid) for judge in topology.judges[:count]])


def judges_say(mode: str, count: int, seconds: float = 0.0) -> Fault:
    @asynccontextmanager
    async def saying(topology: Any) -> AsyncIterator[None]:
        for judge in topology.judges[:count]:
            await asyncio.to_thread(judge.answers, mode, seconds)
        try:
            yield
        finally:
            for judge in topology.judges[:count]:
                await asyncio.to_thread(judge.answers, "well")

    return saying


# One replica


@asynccontextmanager
async def replica_killed(topology: Any) -> AsyncIterator[None]:
    """Its workers end by themselves."""
    psutil.Process(topology.replicas[0].pid).kill()
    try:
        yield
    finally:
        await asyncio.to_thread(topology.start_replica, 0)


def replica(how: Callable[[Sequence[psutil.Process]], AbstractAsyncContextManager[None]]) -> Fault:
    return lambda topology: how([psutil.Process(topology.replicas[0].pid)])


@asynccontextmanager
async def replica_garbled(topology: Any) -> AsyncIterator[None]:
    """Something else listens on its port, and what it says is no HTTP, or HTTP that is no score."""
    topology.replicas[0].stop()
    said = (os.urandom(400), b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\nnonsense")
    turns = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turns
        turns += 1
        with suppress(OSError):
            await reader.read(1 << 16)
            writer.write(said[turns % 2])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", topology.ports[0])
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.to_thread(topology.start_replica, 0)
        assert turns, "nobody came to the one that talks garbage"


# The accuracy workers of one replica


def workers(topology: Any) -> list[psutil.Process]:
    """They are forked from a process that the service starts."""
    return [worker for parent in psutil.Process(topology.replicas[0].pid).children() for worker in parent.children()]


@asynccontextmanager
async def workers_killed(topology: Any) -> AsyncIterator[None]:
    """Again and again, whichever there are."""

    async def kill() -> None:
        while True:
            with suppress(psutil.Error):
                send(workers(topology), signal.SIGKILL)
            await asyncio.sleep(1)

    killing = asyncio.create_task(kill())
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)


# Another client


def other_client(how: Callable[[Sequence[psutil.Process]], AbstractAsyncContextManager[None]]) -> Fault:
    @asynccontextmanager
    async def disturbed(topology: Any) -> AsyncIterator[None]:
        command = [sys.executable, str(Path(__file__).with_name("trainer.py")), topology.nginx.url, topology.key]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as trainer:  # noqa: ASYNC220
            assert trainer.stdout is not None
            assert await asyncio.to_thread(trainer.stdout.readline) == "scoring\n"
            try:
                async with how([psutil.Process(trainer.pid)]):
                    yield
            finally:
                trainer.kill()

    return disturbed


@asynccontextmanager
async def killed(processes: Sequence[psutil.Process]) -> AsyncIterator[None]:
    send(processes, signal.SIGKILL)
    yield


@asynccontextmanager
async def garbage_comes(topology: Any) -> AsyncIterator[None]:
    host, port = topology.nginx.url.removeprefix("http://").split(":")
    head = b"POST /v1/score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + topology.key.encode()
    bodies = (os.urandom(2000), head + b"\r\nContent-Length: 2000\r\n\r\n" + os.urandom(2000), head + b"\r\nContent-")
    opened: list[socket.socket] = []
    for words in bodies * 16:
        opened.append(socket.create_connection((host, int(port)), timeout=5))
        opened[-1].sendall(words)
    try:
        yield
    finally:
        for connection in opened:
            connection.close()


CELLS = [
    Cell("Redis", "kill", redis_killed),
    Cell("Redis", "hang", redis_hangs),
    Cell("Redis", "slow", link_says("slow 1")),
    Cell("Redis", "garbage", link_says("garbage")),
    Cell("one judge server of two", "kill", killed_judges(1)),
    Cell("one judge server of two", "hang", hung_judges(1), hold=HANG),
    Cell("one judge server of two", "slow", judges_say("slow", 1, 2.0)),
    Cell("one judge server of two", "garbage", judges_say("garbage", 1)),
    Cell("both judge servers", "kill", killed_judges(2), frozenset({"judge_unavailable"})),
    Cell("both judge servers", "hang", hung_judges(2), hold=HANG),
    Cell("both judge servers", "slow", judges_say("slow", 2, 2.0)),
    Cell("both judge servers", "garbage", judges_say("garbage", 2), frozenset({"judge_unparseable"})),
    Cell("one replica of three", "kill", replica_killed),
    Cell("one replica of three", "hang", replica(stopped), hold=2 * HANG, waits=False),
    Cell("one replica of three", "slow", replica(slowed)),
    Cell("one replica of three", "garbage", replica_garbled),
    Cell("accuracy workers of one replica", "kill", workers_killed),
    Cell("accuracy workers of one replica", "hang", lambda topology: stopped(workers(topology)), hold=HANG),
    Cell("accuracy workers of one replica", "slow", lambda topology: slowed(workers(topology))),
    Cell("another client", "kill", other_client(killed)),
    Cell("another client", "hang", other_client(stopped), hold=HANG),
    Cell("another client", "slow", other_client(slowed)),
    Cell("another client", "garbage", garbage_comes),
]
# nginx takes what is no HTTP for its version 0.9, which has no status.
SAYINGS = {"009": "no HTTP"}
HEAD = (
    "| what | fault | what a client sees | what nginx answered | slowest call | well again after |",
    "|---|---|---|---|---|---|",
)
IMPOSSIBLE = (
    "| accuracy workers of one replica | garbage | impossible from outside: a worker speaks over a pair of sockets "
    "that it inherits, and that nobody else can open | | | |"
)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.part}: {cell.fault}".replace(" ", "-"))
async def test_nothing_is_wrong_and_nothing_lost(
    topology: Any, load: Any, all_right: Callable[[Any], Awaitable[None]], rows: list[str], cell: Cell
):
    line = len(topology.nginx.lines())
    async with load.running(size=32):
        await load.answers(4)
        async with cell.bring_about(topology):
            await asyncio.sleep(cell.hold)
        ended = time.monotonic()
        recovery = await until_well(load, ended)
    statuses, missing = topology.nginx.statuses(since=line), load.missing
    rows.append(row(cell, len(load.items), statuses, missing, max(call.seconds for call in load.calls), recovery))
    await all_right(load)
    assert missing.keys() <= cell.reasons
    assert max(call.seconds for call in load.calls) < cell.hold + BUSY_SECONDS * cell.waits
    assert recovery < RECOVERY_SECONDS


async def test_an_answer_that_takes_longer_than_nginx_is_silent_with_is_waited_for(topology: Any, rollouts: Any):
    """A replica that gives signs of life is not taken for one that hangs."""
    items, line = rollouts.burst(95_000_000, 8), len(topology.nginx.lines())
    async with judges_say("slow", 2, SILENT_SECONDS + 5)(topology), topology.client() as client:
        results = await client.score(items)
    assert {result.status for result in results} == {"ok"}
    (said,) = topology.nginx.lines()[line:]
    # One try of one replica.
    assert said.split()[3] in {f"127.0.0.1:{port}" for port in topology.ports}


async def until_well(load: Any, ended: float) -> float:
    """Seconds from the end of the fault until a call that began after it has all its scores."""
    async with asyncio.timeout(RECOVERY_SECONDS + 30):
        while not any(call.started >= ended and call.missing == 0 for call in load.calls):
            await load.answers(1)
    return min(call.ended for call in load.calls if call.started >= ended and call.missing == 0) - ended


def row(cell: Cell, items: int, statuses: Counter[str], missing: Counter[str], slowest: float, recovery: float) -> str:
    sees = (
        "nothing: all have their scores"
        if not missing
        else f"of {items} items "
        + ", ".join(f"{count} missing, `{reason}`" for reason, count in sorted(missing.items()))
    )
    said = ", ".join(f"{count} × {SAYINGS.get(status, status)}" for status, count in sorted(statuses.items()))
    return f"| {cell.part} | {cell.fault} | {sees} | {said} | {slowest:.1f} s | {recovery:.1f} s |"


@pytest.fixture(scope="module")
def rows(section: Callable[[str], str], write_section: Callable[[str, str], None]) -> Iterator[list[str]]:
    """What was found. Rows of the page whose faults were not brought about this time (`-k`) stay as they are."""
    found: list[str] = []
    before = [line for line in section("faults").splitlines() if line.startswith("| ")][1:]
    yield found
    known = {about(line): line for line in (*before, *found, IMPOSSIBLE)}
    order = [f"{cell.part} | {cell.fault}" for cell in CELLS]
    ordered = [known[name] for name in (*order, about(IMPOSSIBLE)) if name in known]
    write_section("faults", "\n".join([*HEAD, *ordered]))


def about(line: str) -> str:
    return " | ".join(line.split(" | ")[:2]).removeprefix("| ")


@pytest.fixture(scope="module")
def redis_link(shared_redis: Any, redis_link: Any, free_port: Callable[[], int]) -> Iterator[Any]:
    """With `redis_proxy.py` between."""
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("redis_proxy.py")), str(port), str(shared_redis.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as proxy:

        def behave(words: str) -> None:
            assert proxy.stdin is not None
            proxy.stdin.write(f"{words}\n")
            proxy.stdin.flush()

        yield type(redis_link)(f"redis://127.0.0.1:{port}/0", behave)
        proxy.stdin.close()

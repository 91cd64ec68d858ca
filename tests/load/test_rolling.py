"""Everything restarted in turn under load: no score is lost, none is wrong."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.load, pytest.mark.timeout(900)]


async def restart_replica(topology: Any, number: int) -> None:
    """As an update does it: SIGTERM, what is under way finishes, then a new process on the same port."""
    replica = topology.replicas[number]
    replica.signal(signal.SIGTERM)
    assert await asyncio.to_thread(replica.wait, 130) == 0
    await asyncio.to_thread(topology.start_replica, number)


async def restart_judge(topology: Any, number: int) -> None:
    await asyncio.to_thread(topology.judges[number].stop)
    await asyncio.to_thread(topology.judges[number].start)


async def restart_redis(topology: Any, _: int) -> None:
    """It loses what it held, too."""
    await asyncio.to_thread(topology.redis.restart)


async def reload_nginx(topology: Any, _: int) -> None:
    await asyncio.to_thread(topology.nginx.reload)


async def restart_nginx(topology: Any, _: int) -> None:
    """As a package's update does it: what is under way is answered, and nobody listens until the new one does."""
    await asyncio.to_thread(topology.nginx.stop)
    await asyncio.to_thread(topology.nginx.start)


STEPS: tuple[tuple[str, Callable[[Any, int], Awaitable[None]], int], ...] = (
    ("replica", restart_replica, 0),
    ("replica", restart_replica, 1),
    ("replica", restart_replica, 2),
    ("judge server", restart_judge, 0),
    ("judge server", restart_judge, 1),
    ("Redis", restart_redis, 0),
    ("nginx, reloaded", reload_nginx, 0),
    ("nginx, stopped and started", restart_nginx, 0),
)


async def test_everything_is_restarted_in_turn_and_no_score_is_lost_or_wrong(
    topology: Any, load: Any, all_right: Callable[[Any], Awaitable[None]], write_section: Callable[[str, str], None]
):
    rows: list[str] = []
    async with load.running():
        await load.answers(4)
        for name, restart, number in STEPS:
            before, started, line = len(load.calls), time.monotonic(), len(topology.nginx.lines())
            await restart(topology, number)
            took = time.monotonic() - started
            # Two rounds of all callers: what was under way during the restart has been answered.
            await load.answers(8)
            statuses = topology.nginx.statuses(since=line)
            seconds = [call.seconds for call in load.calls[before:]]
            rows.append(f"| {name} | {took:.1f} s | {len(seconds)} | {said(statuses)} | {max(seconds):.1f} s |")
    assert load.missing == {}
    await all_right(load)
    write_section("rolling", table(rows, len(load.items), max(call.seconds for call in load.calls)))


def said(statuses: Any) -> str:
    return ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))


def table(rows: list[str], items: int, slowest: float) -> str:
    return "\n".join(
        [
            f"{items} responses scored meanwhile: none missing, and each score the one of a single service that "
            f"nothing happens to. The slowest call took {slowest:.1f} s.",
            "",
            "| restarted | gone for | calls meanwhile | what nginx answered | slowest call |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )

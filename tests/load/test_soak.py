"""Twenty minutes at capacity: trainers score burst after burst, by locust, while memory and descriptors are watched.

SOAK_SECONDS says how long; LOCUST is locust's binary, in an environment that has the client too.
"""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import pytest
import redis

SECONDS = int(os.environ.get("SOAK_SECONDS", "1200"))
EVERY_SECONDS = 5.0
# The share of the time in which it warms up: imports, pools of connections, the allocator, and what is kept of recent
# responses fill.
WARM = 0.4
# MiB of verdicts that a replica keeps in memory, to which what it keeps of recent responses is in proportion: little,
# so that it is full when the warming up is over, and what grows after that is no cache.
CACHE_MB = 4
# What a process holds swings with each burst. What it holds at the least in so many seconds is what it keeps.
FLOOR_SECONDS = 30.0
# A process that kept one response of 1.5 kB for each rollout that a replica scores here would grow by 300 MiB an hour,
# and one that kept a descriptor for each burst by 200 an hour. A tenth of the one, and a third of the other, is what
# minutes can tell from nothing.
MOST_MIB_AN_HOUR, MOST_DESCRIPTORS_AN_HOUR = 32.0, 60.0

pytestmark = [pytest.mark.load, pytest.mark.timeout(SECONDS + 900)]


@dataclasses.dataclass(frozen=True)
class Look:
    """At one moment, by what was looked at: bytes of resident memory, and open descriptors, also of workers."""

    at: float
    bytes: Mapping[str, int]
    descriptors: Mapping[str, int]


def look(services: Mapping[str, psutil.Process]) -> Look:
    """Each process by itself, and its workers together."""
    memory: dict[str, int] = {}
    for name, process in services.items():
        memory[name] = process.memory_info().rss
        if workers := process.children(recursive=True):
            memory[f"{name}, workers"] = 0
        for worker in workers:
            with suppress(psutil.Error):
                memory[f"{name}, workers"] += worker.memory_info().rss
    files = {name: sum(map(descriptors, family(process))) for name, process in services.items()}
    return Look(time.monotonic(), memory, files)


def family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def descriptors(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return process.num_fds()
    return 0


@pytest.fixture(scope="module")
def replica_options() -> tuple[str, ...]:
    return ("--cache-mb", str(CACHE_MB))


@pytest.fixture(scope="module")
def locust() -> str:
    binary = os.environ.get("LOCUST")
    if not binary:
        pytest.skip("LOCUST names no locust: make load-soak")
    return binary


async def test_at_capacity_nothing_grows_and_nothing_is_missing_but_what_was_injected(
    topology: Any, locust: str, tmp_path: Path, write_section: Callable[[str, str], None]
):
    # What deploy/ gives Valkey: at its bound it forgets the oldest.
    with redis.Redis.from_url(topology.redis.url) as server:
        server.config_set("maxmemory", "64mb")
        server.config_set("maxmemory-policy", "allkeys-lru")
    processes = {f"replica {n}": psutil.Process(one.pid) for n, one in enumerate(topology.replicas, 1)}
    processes |= {"nginx": psutil.Process(topology.nginx.pid)}
    looks: list[Look] = []
    with running(locust, topology, tmp_path) as trainers:
        while trainers.poll() is None:
            looks.append(await asyncio.to_thread(look, processes))
            await asyncio.sleep(EVERY_SECONDS)
    outcome, rows = json.loads((tmp_path / "outcome.json").read_text()), calls(tmp_path / "locust_stats.csv")
    warm = [one for one in looks if one.at - looks[0].at > WARM * SECONDS]
    memory = {name: floors(warm, lambda one, name=name: one.bytes.get(name, 0)) for name in warm[0].bytes}
    files = {name: floors(warm, lambda one, name=name: one.descriptors[name]) for name in processes}
    write_section("soak", page(rows, outcome, memory, files))
    assert outcome.keys() == {"scored", "unknown_annotation"}, outcome
    assert all(int(row["Failure Count"]) == 0 for row in rows), rows
    for name, kept in memory.items():
        assert an_hour(kept) / (1 << 20) < MOST_MIB_AN_HOUR, (name, kept)
    for name, kept in files.items():
        assert an_hour(kept) < MOST_DESCRIPTORS_AN_HOUR, (name, kept)


Floors: TypeAlias = list[tuple[float, int]]


def floors(looks: Sequence[Look], value: Callable[[Look], int]) -> Floors:
    """(seconds since the first look, the least value) of each stretch of time."""
    found: dict[int, int] = {}
    for one in looks:
        stretch = int((one.at - looks[0].at) / FLOOR_SECONDS)
        found[stretch] = min(found.get(stretch, value(one)), value(one))
    return [(stretch * FLOOR_SECONDS, least) for stretch, least in found.items()]


def an_hour(kept: Floors) -> float:
    """How much it grows in an hour, by least squares."""
    return 3600 * statistics.linear_regression(*zip(*kept, strict=True)).slope


@contextmanager
def running(locust: str, topology: Any, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Locust's users, until their time is over."""
    command = [locust, "--headless", "--locustfile", str(Path(__file__).with_name("locustfile.py"))]
    command += ["--host", topology.nginx.url, "--users", "3", "--run-time", f"{SECONDS}s", "--stop-timeout", "120s"]
    command += ["--csv", str(folder / "locust"), "--only-summary"]
    environment = {
        "LOCUST_SKIP_MONKEY_PATCH": "1",
        "PERCEPTION_REWARD_API_KEY": topology.key,
        "OUTCOME": str(folder / "outcome.json"),
    }
    with (folder / "locust.log").open("w") as log:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log, text=True)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    assert process.returncode == 0, (folder / "locust.log").read_text()[-4000:]


def calls(stats: Path) -> list[dict[str, str]]:
    """What locust says of each kind of call."""
    with stats.open(newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["Name"] != "Aggregated"]


def page(
    rows: Sequence[Mapping[str, str]],
    outcome: Mapping[str, int],
    memory: Mapping[str, Floors],
    files: Mapping[str, Floors],
) -> str:
    times = [
        f"| {row['Name']} | {row['Request Count']} | {int(row['50%']) / 1000:.2f} s | {int(row['99%']) / 1000:.2f} s | "
        f"{float(row['Max Response Time']) / 1000:.2f} s |"
        for row in rows
    ]
    held = [
        f"| {name} | {kept[0][1] >> 20} → {kept[-1][1] >> 20} MiB | {an_hour(kept) / (1 << 20):+.1f} MiB | "
        + (f"{opened[0][1]} → {opened[-1][1]} |" if (opened := files.get(name)) else "|")
        for name, kept in memory.items()
    ]
    return "\n".join(
        [
            f"{SECONDS / 60:.0f} minutes, {outcome['scored']:,} responses scored, "
            f"{outcome['scored'] / SECONDS:.0f} a second. Missing: {outcome.get('unknown_annotation', 0):,}, all of "
            "them injected (`unknown_annotation`).",
            "",
            "| call | times | p50 | p99 | slowest |",
            "|---|---|---|---|---|",
            *times,
            "",
            f"What a process keeps, the least that it holds in {FLOOR_SECONDS:.0f} seconds, after the first "
            f"{WARM * SECONDS / 60:.0f} minutes; asserted: it grows by less than {MOST_MIB_AN_HOUR:.0f} MiB and "
            f"{MOST_DESCRIPTORS_AN_HOUR:.0f} descriptors an hour. One response kept for each rollout would be 300 MiB.",
            "",
            "| process | memory at first → at last | slope an hour | descriptors |",
            "|---|---|---|---|",
            *held,
        ]
    )

"""What the client costs beside the service: a step of 4,096 rollouts at once, and many processes of single calls.

    python tests/benchmarks/client.py [--repeats N] [--items N]

The service runs as in `service.py`, pinned to one core. *Raw* is one request whose body is ready before the clock
starts and whose answer nobody reads: HTTP and the service alone. The client starts from dicts and ends with results.
Raw requests and calls of the client take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, repeat
from pathlib import Path
from typing import Any

import aiohttp

from perception_reward.trainer_client import RewardClient
from service import Served, body, percentile, post, rollout, service

ITEMS = 4096
PROCESSES, CALLS, ROUNDS = 64, 16, 4
MIB = 1 << 20
IMPORTS = {
    "pydantic and asyncio alone": "import asyncio; from pydantic import BaseModel, ConfigDict, Field",
    "RewardClient": "from perception_reward.trainer_client import RewardClient",
    "RewardClient and the wire models": "from perception_reward.trainer_client import RewardClient, ItemResult",
}


def rollouts(numbers: range) -> list[dict[str, Any]]:
    return [rollout(number) for number in numbers]


@dataclass(frozen=True)
class Taken:
    """Seconds: on the clock, of the service by its own account, and of CPU, in the service and here."""

    clock: float
    said: float
    service: float
    here: float


@contextmanager
def timed(served: Served) -> Iterator[Callable[[float], Taken]]:
    clock, here, service = time.perf_counter(), time.process_time(), sum(served.cpu())
    yield lambda said: Taken(time.perf_counter() - clock, said, sum(served.cpu()) - service, time.process_time() - here)


def raw(served: Served, content: bytes) -> Taken:
    async def once() -> dict[str, Any]:
        async with aiohttp.ClientSession(served.url, timeout=aiohttp.ClientTimeout(600)) as session:
            return (await post(session, content))[1]

    with timed(served) as taken:
        summary = asyncio.run(once())
        found = taken(summary["seconds"])
    assert summary["missing"] == 0, summary
    return found


def asked(served: Served, client: RewardClient, items: list[dict[str, Any]]) -> Taken:
    with timed(served) as taken:
        results = client.score_sync(items)
        found = taken(0.0)
    assert [result.id for result in results] == [item["id"] for item in items]
    assert all(result.status == "ok" for result in results)
    return found


def large(name: str, served: Served, batches: Iterator[range], repeats: int) -> None:
    bare: list[Taken] = []
    calls: list[Taken] = []
    with RewardClient(served.url, timeout=600) as client:
        client.score_sync(rollouts(range(-1, 0)))
        for _ in range(repeats):
            bare.append(raw(served, body(next(batches))))
            calls.append(asked(served, client, rollouts(next(batches))))
    more = median(calls, "clock") / median(bare, "clock") - 1
    own = median(calls, "here") / median(calls, "service")
    print(
        f"| {name} | {median(bare, 'said'):.2f} s | {median(bare, 'clock'):.2f} s | {median(calls, 'clock'):.2f} s "
        f"({more:+.0%}) | {median(bare, 'service'):.2f} s | {median(calls, 'service'):.2f} s | "
        f"{median(calls, 'here'):.2f} s ({own:.1%}) |",
        flush=True,
    )


def median(taken: list[Taken], field: str) -> float:
    return statistics.median(getattr(one, field) for one in taken)


def memory(served: Served, most: int) -> None:
    """Peak memory of one call, above what there is before it."""
    items = rollouts(range(most))
    size = len(json.dumps(items))
    with RewardClient(served.url, timeout=600) as client:
        client.score_sync(items[:1])
        Path("/proc/self/clear_refs").write_text("5")  # the peak is measured from here
        before = resident("VmHWM")
        results = client.score_sync(items)
        peak, kept = resident("VmHWM") - before, resident("VmRSS") - before
    assert len(results) == most
    print(f"\n{size / MIB:.0f} MiB of JSON: the call takes {peak:.0f} MiB at its peak, {kept:.0f} MiB after it")


def resident(field: str) -> float:
    """MiB, as the kernel counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def small(number: int) -> dict[str, Any]:
    facts = [{"id": "f1", "text": "Segment AB has length 5."}]
    return {"id": f"s-{number}", "facts": facts, "response": f"AB = 5, and that is number {number}."}


def caller(url: str, number: int, start: Any, done: Any) -> None:
    """One process of `CALLS` callers, each waiting for one result at a time."""
    client = RewardClient(url, timeout=300)
    latencies: list[float] = []
    missing: list[str] = []

    async def call(n: int) -> None:
        for turn in range(ROUNDS):
            item = small((number * CALLS + n) * ROUNDS + turn)
            started = time.perf_counter()
            result = await client.score_one(item)
            latencies.append(time.perf_counter() - started)
            if result.reason is not None:
                missing.append(result.reason)

    async def all_calls() -> None:
        await asyncio.gather(*(call(n) for n in range(CALLS)))
        await client.aclose()

    start.wait()
    try:
        asyncio.run(all_calls())
    except Exception as error:
        missing.append(repr(error))
    done.put((latencies, missing))


def many(url: str) -> None:
    context = multiprocessing.get_context("fork")
    start, done = context.Event(), context.Queue()
    processes = [context.Process(target=caller, args=(url, n, start, done)) for n in range(PROCESSES)]
    for process in processes:
        process.start()
    started = time.perf_counter()
    start.set()
    answers = [done.get() for _ in processes]
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    latencies = [latency for found, _ in answers for latency in found]
    faults = [fault for _, found in answers for fault in found]
    print(
        f"{PROCESSES} processes x {CALLS} callers x {ROUNDS} single items: {len(latencies)} answers in {seconds:.1f} s "
        f"({len(latencies) / seconds:.0f}/s), p50 {percentile(latencies, 0.5):.1f} s, p99 "
        f"{percentile(latencies, 0.99):.1f} s, errors or missing: {len(faults)} {sorted(set(faults))[:3]}"
    )
    assert not faults


def imports() -> None:
    """Least of several fresh interpreters: the import alone, without the interpreter's own start."""
    for name, statement in IMPORTS.items():
        code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
        times = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(9)]
        print(f"| {name} | {min(times) * 1000:.0f} ms | {statistics.median(times) * 1000:.0f} ms |")


def steps(items: int) -> Iterator[range]:
    """Batches that share nothing."""
    return (range(start, start + items) for start in count(items, items))


def same(items: int) -> Iterator[range]:
    return repeat(range(items))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--items", type=int, default=ITEMS)
    given = parser.parse_args()
    items, repeats = given.items, given.repeats
    print("| import | least of 9 | median |\n|---|---|---|")
    imports()
    print(f"\n{items} items of 3 kB and 5 facts; cold once, cached the median of {repeats}\n")
    print("| state | service's own time | raw | client | service's CPU, raw | with the client | client's CPU |")
    print("|---|---|---|---|---|---|---|")
    options = ("--workers", "1", "--cache-mb", "1024", "--request-timeout", "600")
    with service(*options) as served:
        large("cold", served, steps(items), 1)
        raw(served, body(range(items)))
        large("cached", served, same(items), repeats)
        memory(served, items)
    with service(*options) as served:
        many(served.url)


if __name__ == "__main__":
    main()

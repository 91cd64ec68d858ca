"""How long the service takes: `512 items x 3 kB x 5 facts` cold and cached, and small requests under load.

    python tests/benchmarks/service.py [--profile FILE]

Starts a real Redis and `perception-reward serve` pinned to one core each, on 127.0.0.1. *Server time* is what the
service says of itself (`summary.seconds`); *round trip* adds HTTP and JSON on both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import psutil

ITEMS, CHARACTERS, FACTS = 512, 3000, 5
REPEATS = 7
SMALL_REQUESTS, CONCURRENCY = 3000, 32
Measured = tuple[list[float], list[float], dict[str, Any]]  # server seconds, round trips, last summary
NAMES = "ABCDEFGHKLMNPQRSTUVWXYZ"


def sentence(random: random.Random) -> str:
    a, b, c = random.sample(NAMES, 3)
    return random.choice(
        [
            f"Segment {a}{b} has length {random.randint(2, 40)}.",
            f"Looking at the figure, angle {a}{b}{c} measures {random.randint(10, 170)} degrees.",
            f"Since {a}{b} is perpendicular to {b}{c}, the Pythagorean theorem applies to {a}{b}{c}.",
            f"Therefore $x = \\frac{{{random.randint(2, 99)}}}{{{random.randint(2, 9)}}}$ after simplifying.",
            f"Substituting gives {random.randint(2, 9)}x + {random.randint(2, 99)} = {random.randint(100, 400)}.",
        ]
    )


def rollout(number: int) -> dict[str, Any]:
    """One item of about 3 kB with five facts and an answer that math-verify has to look at."""
    source = random.Random(number)
    text = ""
    while len(text) < CHARACTERS - 100:
        text += sentence(source) + "\n"
    names = [a + b for a, b in zip("ABCDE", "FGHKL", strict=True)]
    facts = [{"id": f"f{n}", "text": f"Segment {name} has length {n + 5}."} for n, name in enumerate(names)]
    answer = f"\\frac{{{number + 3}}}{{7}}"
    response = f"<think>\n{text}</think>\n<answer>\n\\boxed{{{answer}}}\n</answer>"
    return {
        "id": f"r-{number}",
        "group": f"g-{number // 8}",
        "facts": facts,
        "response": response,
        "answer": f"{number + 3}/7",
    }


@dataclass(frozen=True)
class Served:
    url: str
    process: psutil.Process

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far of the event-loop process (judge requests, HTTP, JSON, cache) and of the workers."""
        children = self.process.children(recursive=True)
        return seconds(self.process), sum(seconds(child) for child in children)


def seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@contextmanager
def redis_server() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binary = shutil.which("redis-server")
    if binary is None:
        raise SystemExit("no redis-server on the PATH")
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    next(line for line in process.stdout if "Ready to accept" in line)
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextmanager
def service(*options: str, pinned: bool = True) -> Iterator[Served]:
    """The service as its own process; the event loop and its workers on one core, unless they are not `pinned`."""
    command = [sys.executable, "-m", "perception_reward.service.cli", "serve", "--port", "0", "--log-json", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=pin if pinned else None)
    assert process.stderr is not None
    entries = (json.loads(line) for line in process.stderr if line.startswith("{"))
    address = next(entry["address"] for entry in entries if entry["message"] == "listening")
    # A log that nobody reads fills its pipe, and then the service waits.
    threading.Thread(target=lambda: [None for _ in entries], daemon=True).start()
    yield Served(address, psutil.Process(process.pid))
    process.terminate()
    process.wait()


def pin() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


async def post(session: aiohttp.ClientSession, body: bytes) -> tuple[float, dict[str, Any]]:
    started = time.perf_counter()
    async with session.post("/v1/score", data=body, headers={"Content-Type": "application/json"}) as answer:
        text = await answer.read()
    seconds = time.perf_counter() - started
    answer.raise_for_status()
    return seconds, json.loads(text)["summary"]


def body(numbers: Iterator[int] | range) -> bytes:
    return json.dumps({"items": [rollout(number) for number in numbers]}).encode()


async def large(url: str, make: Callable[[int], bytes], repeats: int) -> Measured:
    """(server seconds, round trips, last summary) of `repeats` requests."""
    server: list[float] = []
    trips: list[float] = []
    summary: dict[str, Any] = {}
    async with aiohttp.ClientSession(url) as session:
        for repeat in range(repeats):
            seconds, summary = await post(session, make(repeat))
            server.append(summary["seconds"])
            trips.append(seconds)
    return server, trips, summary


async def small(url: str) -> tuple[float, list[float]]:
    """(requests per second, latencies) of distinct one-item requests at a fixed concurrency."""
    bodies = [body(range(n, n + 1)) for n in range(100_000, 100_000 + SMALL_REQUESTS)]
    latencies: list[float] = []

    async with aiohttp.ClientSession(url) as session:

        async def caller() -> None:
            while bodies:
                latencies.append((await post(session, bodies.pop()))[0])

        started = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(CONCURRENCY)))
    return len(latencies) / (time.perf_counter() - started), latencies


def milliseconds(values: list[float]) -> str:
    return f"{statistics.median(values) * 1000:.0f} ms ({min(values) * 1000:.0f}–{max(values) * 1000:.0f})"


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    repeats = parser.parse_args().repeats
    same = body(range(ITEMS))
    print(f"{ITEMS} items x {len(same) // ITEMS} bytes x {FACTS} facts; median (least–most) of {repeats}\n")
    print("| state | server time | round trip |\n|---|---|---|")
    with redis_server() as redis:
        options = ("--workers", "1", "--redis-url", redis)
        with service(*options) as served:
            before = served.cpu()
            report("cold, one worker", asyncio.run(large(served.url, fresh_body, repeats)))
            loop, workers = (after - start for after, start in zip(served.cpu(), before, strict=True))
            asyncio.run(large(served.url, lambda _: same, 1))
            report("cached in memory", asyncio.run(large(served.url, lambda _: same, repeats)))
        report("cached in Redis, fresh process", from_redis(options, same, repeats))
        with service(*options) as served:
            rate, latencies = asyncio.run(small(served.url))
    items = ITEMS * repeats
    print(
        f"\ncold, CPU per item: {workers / items * 1000:.2f} ms in the workers (symbolic judge, math-verify), "
        f"{loop / items * 1000:.2f} ms in the service"
    )
    print(
        f"one-item requests, {CONCURRENCY} at a time, nothing cached: {rate:.0f}/s, "
        f"p50 {percentile(latencies, 0.5) * 1000:.1f} ms, p99 {percentile(latencies, 0.99) * 1000:.1f} ms"
    )


def fresh_body(repeat: int) -> bytes:
    """A batch that shares nothing with the one that is repeated."""
    return body(range(ITEMS * (repeat + 1), ITEMS * (repeat + 2)))


def from_redis(options: tuple[str, ...], same: bytes, repeats: int) -> Measured:
    """The same batch, asked of a process that has just started and has nothing in its own memory."""
    server: list[float] = []
    trips: list[float] = []
    summary: dict[str, Any] = {}
    for repeat in range(repeats):
        with service(*options) as served:
            asyncio.run(large(served.url, lambda _, n=repeat: body(range(10**6 + n, 10**6 + n + 1)), 1))
            once = asyncio.run(large(served.url, lambda _: same, 1))
        server += once[0]
        trips += once[1]
        summary = once[2]
        assert summary["judged"] == 0, summary
    return server, trips, summary


def report(name: str, measured: Measured) -> None:
    server, trips, summary = measured
    assert summary["missing"] == 0, summary
    print(f"| {name} | {milliseconds(server)} | {milliseconds(trips)} |", flush=True)


if __name__ == "__main__":
    main()

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
from typing import Any

import aiohttp

ITEMS, CHARACTERS, FACTS = 512, 3000, 5
REPEATS = 7
SMALL_REQUESTS, CONCURRENCY = 3000, 32
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
def service(*options: str) -> Iterator[str]:
    """The service as its own process; the event loop and its workers on the first core."""
    command = [sys.executable, "-m", "perception_reward.service.cli", "serve", "--port", "0", "--log-json", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=pin)
    assert process.stderr is not None
    entries = (json.loads(line) for line in process.stderr if line.startswith("{"))
    address = next(entry["address"] for entry in entries if entry["message"] == "listening")
    # A log that nobody reads fills its pipe, and then the service waits.
    threading.Thread(target=lambda: [None for _ in entries], daemon=True).start()
    yield address
    process.terminate()
    process.wait()


def pin() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


async def post(session: aiohttp.ClientSession, body: bytes) -> tuple[float, dict[str, Any]]:
    started = time.perf_counter()
    async with session.post("/v1/score", data=body, headers={"Content-Type": "application/json"}) as answer:
        text = await answer.read()
    seconds = time.perf_counter() - started
    answer.raise_for_status()
    return seconds, json.loads(text)["summary"]


def body(numbers: Iterator[int] | range) -> bytes:
    return json.dumps({"items": [rollout(number) for number in numbers]}).encode()


async def large(
    url: str, make: Callable[[int], bytes], repeats: int
) -> tuple[list[float], list[float], dict[str, Any]]:
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
    rows: list[tuple[str, str, str]] = []

    def measure(name: str, url: str, make: Callable[[int], bytes], count: int) -> None:
        server, trips, summary = asyncio.run(large(url, make, count))
        assert summary["missing"] == 0, summary
        rows.append((name, milliseconds(server), milliseconds(trips)))

    print(f"{ITEMS} items x {len(same) // ITEMS} bytes x {FACTS} facts; median (least–most) of {repeats}")
    with redis_server() as redis:
        options = ("--workers", "1", "--redis-url", redis)
        with service(*options) as url:
            measure(
                "cold, one worker", url, lambda repeat: body(range(ITEMS * (repeat + 1), ITEMS * (repeat + 2))), repeats
            )
            asyncio.run(large(url, lambda _: same, 1))
            measure("cached in memory", url, lambda _: same, repeats)
        fresh: list[tuple[float, float]] = []
        for _ in range(repeats):
            with service(*options) as url:
                asyncio.run(large(url, lambda _: body(range(10**6, 10**6 + 1)), 1))
                server, trips, summary = asyncio.run(large(url, lambda _: same, 1))
                assert summary["judged"] == 0, summary
                fresh.append((server[0], trips[0]))
        rows.append(
            ("cached in Redis, fresh process", milliseconds([s for s, _ in fresh]), milliseconds([t for _, t in fresh]))
        )
        with service(*options) as url:
            rate, latencies = asyncio.run(small(url))
    for name, server_time, trip in rows:
        print(f"| {name} | {server_time} | {trip} |")
    print(
        f"one-item requests, {CONCURRENCY} at a time, nothing cached: {rate:.0f}/s, "
        f"p50 {percentile(latencies, 0.5) * 1000:.1f} ms, p99 {percentile(latencies, 0.99) * 1000:.1f} ms"
    )


if __name__ == "__main__":
    main()

"""What a large request costs others, and what it costs itself: `make bench-fairness`.

    python tests/benchmarks/fairness.py [--workers N]

A real `perception-reward serve`. *Latency* is the round trip of a small request (8 items, rules judge, nothing cached)
alone and behind each large one, sent one after the other while that is under way. *Goodput* is the share of the
processor time of the workers that a large request needs when its work is done in processes that do nothing else: what
is missing from 100 % was thrown away or spent on handing out. Bounded: some two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import aiohttp
from worst_cases import filled

from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact
from service import Served, percentile, service

SMALL_ITEMS, ALONE, MOST = 8, 20, 60
HANGING, LONG, FACTS, CHARACTERS = 100, 200, 32, 40_000
# What a hanging answer may compute for, and a large request take.
TIME_LIMIT, PATIENCE = 1.0, 100.0

Item = dict[str, Any]
SUBJECTS = ("dog", "lamp", "train", "window", "bench", "sign", "boat", "shirt", "plate", "horse")


def small(number: int) -> list[Item]:
    fact = {"id": "f", "text": f"Segment AB has length {number}."}
    said = f"We see that AB = {number} in the figure, "
    return [{"response": f"{said}{place} of {SMALL_ITEMS}.", "facts": [fact]} for place in range(SMALL_ITEMS)]


def hanging() -> list[Item]:
    """Answers for which math-verify computes until it is stopped: only the public code's arithmetic asks it such."""
    return [
        {"response": f"<think>\n\n</think>\n<answer>\\boxed{{(x+y+z)^{{{n}}}}}</answer>", "answer": "13"}
        for n in range(900, 900 + HANGING)
    ]


def long_responses() -> list[Item]:
    draw = random.Random(3)

    def sentence() -> str:
        one, other = draw.sample(SUBJECTS, 2)
        place = draw.choice(("left of", "right of", "above", "behind"))
        return f"The {one} that has {draw.randrange(2, 99)} marks stands {place} the {other}."

    facts = [{"id": str(n), "text": f"The {SUBJECTS[n % 10]} has {n} marks."} for n in range(FACTS)]
    return [{"response": filled(iter(sentence, ""), CHARACTERS), "facts": facts} for _ in range(LONG)]


def pure_seconds(items: list[Item], workers: int) -> float:
    """Processor seconds of the work itself, in as many processes at once, since they slow each other down."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(_pure_seconds, [items[place::workers] for place in range(workers)]))


def _pure_seconds(items: list[Item]) -> float:
    decide_all(items[0]["response"], [Fact.model_validate(fact) for fact in items[0]["facts"]])
    started = time.process_time()
    for item in items:
        decide_all(item["response"], [Fact.model_validate(fact) for fact in item["facts"]])
    return time.process_time() - started


async def ask(session: aiohttp.ClientSession, items: list[Item], **request: object) -> tuple[float, dict[str, Any]]:
    started = time.perf_counter()
    async with session.post("/v1/score", json={"items": items, **request}) as answer:
        found = await answer.json()
        answer.raise_for_status()
    return time.perf_counter() - started, found["summary"]


async def latencies(session: aiohttp.ClientSession, numbers: range, until: Callable[[], bool]) -> list[float]:
    found: list[float] = []
    for number in numbers:
        if until():
            break
        seconds, summary = await ask(session, small(number))
        assert summary["missing"] == 0, summary
        found.append(seconds)
        await asyncio.sleep(0.2)
    return found


async def behind(
    session: aiohttp.ClientSession, items: list[Item], numbers: range, **request: object
) -> tuple[list[float], float, dict[str, Any]]:
    """The small requests' latencies, and the large one's seconds and summary."""
    large = asyncio.create_task(ask(session, items, **request))
    await asyncio.sleep(0.5)
    found = await latencies(session, numbers, large.done)
    return found, *await large


def told(name: str, seconds: list[float], rest: str = "") -> None:
    times = " / ".join(f"{percentile(seconds, share) * 1000:.0f}" for share in (0.5, 0.9, 1.0)) if seconds else "–"
    print(f"| {name} | {len(seconds)} | {times} ms | {rest} |", flush=True)


async def measure(served: Served, workers: int) -> None:
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(served.url, timeout=timeout) as session:
        await latencies(session, range(3), lambda: False)
        print("| a small request | number | p50 / p90 / slowest | the large one |\n|---|---|---|---|")
        told("alone", await latencies(session, range(1000, 1000 + ALONE), lambda: False))
        found, took, summary = await behind(
            session, hanging(), range(2000, 2000 + MOST), profile="perception-r1-parity"
        )
        told(f"behind {HANGING} hanging answers", found, f"{took:.1f} s, missing: {json.dumps(summary['reasons'])}")
        items = long_responses()
        before = served.cpu()[1]
        took, summary = await ask(session, items)
        spent = served.cpu()[1] - before
        pure = pure_seconds(items, workers)
        rest = f"{took:.1f} s, missing: {summary['missing']}, goodput {pure / spent:.0%} ({pure:.1f} of {spent:.1f} s)"
        told(f"(none, {LONG} long responses alone)", [], rest)
        items = [{**item, "response": item["response"] + " So be it."} for item in items]
        before = served.cpu()[1]
        found, took, summary = await behind(session, items, range(3000, 3000 + MOST))
        spent = served.cpu()[1] - before
        rest = (
            f"{took:.1f} s, missing: {summary['missing']}, goodput {pure / spent:.0%} (small requests counted as lost)"
        )
        told(f"behind {LONG} long responses x {FACTS} facts", found, rest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args().workers
    options = ("--workers", str(workers), "--accuracy-time-limit", str(TIME_LIMIT), "--request-timeout", "90")
    with service(*options, pinned=False) as served:
        asyncio.run(measure(served, workers))


if __name__ == "__main__":
    main()

"""A bad night: faults of every kind at random moments, while clients score what they know the truth about.

The seed is in the output of a failure; `NIGHT="SEED SECONDS"` plays the same night again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import os
import random
import re
import resource
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import psutil
import pytest
import pytest_asyncio
from aiohttp import web
from tokenizers import Tokenizer

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENTS, ITEMS = 3, 6
RECOVERY_SECONDS = 30.0
# Between idle and idle again: buffers and caches may have grown, and connections of the pool may be open.
MORE_BYTES, MORE_DESCRIPTORS = 256 << 20, 24
ANNOTATION = "/v1/annotations/triangle/1"
FACT = {"id": "f", "text": "Segment AB has length 5."}
REASONS = {"judge_unavailable", "judge_timeout", "judge_unparseable", "accuracy_timeout", "overloaded"}
REFUSALS = {408, 429, 503, 504}

Fault: TypeAlias = Callable[[], Any]


@dataclasses.dataclass
class Night:
    """The service, what it leans on, and what was seen so far."""

    service: Any
    judge: Any
    redis: Any
    random: random.Random
    seen: Counter[str] = dataclasses.field(default_factory=Counter)
    numbers: itertools.count[int] = dataclasses.field(default_factory=itertools.count)
    over: bool = False

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.service.pid)

    def child(self) -> psutil.Process:
        """A worker, or what workers are forked from."""
        return self.random.choice(self.process.children(recursive=True))


# The clients


def item(number: int) -> dict[str, Any]:
    """Whether its fact is stated, and whether its answer is right, can be told from its number."""
    saw, said = ("yes" if number % 2 else "no"), (13 if number % 3 else 14)
    thought = f"Case {number} saw {saw}."
    response = f"<think>\n{thought}\n</think>\n<answer>\n\\boxed{{{said} x + {number}}}\n</answer>"
    return {"id": str(number), "response": response, "facts": [FACT], "answer": f"{number} + 13 x"}


def check(result: dict[str, Any], seen: Counter[str]) -> None:
    """A score is right or missing, and what is missing has its reason."""
    number, components = int(result["id"]), result["components"]
    truth = {"format": 1.0, "perception": float(number % 2), "accuracy": float(number % 3 > 0), "repetition": 0.0}
    if result["status"] == "ok":
        assert components == truth, result
        seen["right"] += 1
        return
    assert result["score"] is None
    assert result["reason"] in REASONS, result
    for name, value in components.items():
        assert value is None or value == truth[name], result
    seen[result["reason"]] += 1


async def client(night: Night) -> None:
    async with httpx.AsyncClient(base_url=night.service.url, timeout=60) as http:
        while not night.over:
            first = next(night.numbers)
            numbers = [*range(first * 1000, first * 1000 + ITEMS - 1), night.random.randrange(max(first, 1)) * 1000]
            await ask(http, numbers, night.seen)


async def ask(http: httpx.AsyncClient, numbers: list[int], seen: Counter[str]) -> bool:
    """Whether all of them have a score."""
    before = seen["right"]
    try:
        body = {"items": [item(number) for number in numbers]}
        answer = await http.post("/v1/score", json=body, headers={"X-Request-Timeout": "12"})
    except httpx.HTTPError as error:
        seen[type(error).__name__] += 1
        await asyncio.sleep(0.1)
        return False
    if answer.status_code != 200:
        assert answer.status_code in REFUSALS, answer.text
        seen[str(answer.status_code)] += 1
        await asyncio.sleep(0.1)
        return False
    for result in answer.json()["results"]:
        check(result, seen)
    return seen["right"] - before == len(numbers)


# The judge


def truthful(tokenizer: Tokenizer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A judge that reads what it is asked: the response says itself whether it saw."""

    async def reply(request: web.Request) -> web.StreamResponse:
        prompt = tokenizer.decode((await request.json())["prompt"], skip_special_tokens=False)
        return web.json_response({"choices": [{"index": 0, "text": f"<info1>{saw(prompt)}</info1>"}]})

    return reply


def saw(text: str) -> int:
    return int(re.findall(r"Case\s*\d+\s*saw\s*(yes|no)", text)[-1] == "yes")


# The faults: each is brought about at the beginning of its context, and over at its end


@asynccontextmanager
async def judge_says(night: Night, reply: Any) -> AsyncIterator[None]:
    healthy, night.judge.reply = night.judge.reply, reply
    try:
        yield
    finally:
        night.judge.reply = healthy


@asynccontextmanager
async def judge_is_killed(night: Night) -> AsyncIterator[None]:
    await night.judge.kill()
    try:
        yield
    finally:
        await night.judge.start()


@asynccontextmanager
async def redis_is(night: Night, harm: Fault, mend: Fault) -> AsyncIterator[None]:
    harm()
    try:
        yield
    finally:
        mend()


@asynccontextmanager
async def child_gets(night: Night, number: signal.Signals, count: int) -> AsyncIterator[None]:
    hurt = [night.child() for _ in range(count)]
    for process in hurt:
        with suppress(psutil.Error):
            process.send_signal(number)
    try:
        yield
    finally:
        for process in hurt:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def limited(night: Night, limit: int, value: int) -> AsyncIterator[None]:
    was = resource.prlimit(night.service.pid, limit)
    resource.prlimit(night.service.pid, limit, (value, was[1]))
    try:
        yield
    finally:
        resource.prlimit(night.service.pid, limit, was)


@asynccontextmanager
async def no_room_on_the_disk(night: Night) -> AsyncIterator[None]:
    """What cannot be written is not half written: the annotation stays what it was."""
    async with limited(night, resource.RLIMIT_FSIZE, 0), httpx.AsyncClient(base_url=night.service.url) as http:
        with suppress(httpx.HTTPError):
            answer = await http.put(ANNOTATION, json={"id": "triangle/1", "facts": [FACT]}, timeout=20)
            night.seen[f"annotation {answer.status_code}"] += 1
            assert answer.status_code >= 500, answer.text
        yield


@asynccontextmanager
async def rude_clients(night: Night) -> AsyncIterator[None]:
    """Half requests, silence, and bodies that nobody waits for."""
    parts = httpx.URL(night.service.url)
    opened: list[socket.socket] = []
    body = json.dumps({"items": [item(next(night.numbers) * 1000)] * 64}).encode()
    head = f"POST /v1/score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n".encode()
    said = (b"", b"POST /v1/sco", head, head + b"\r\n" + body[:100], head + b"\r\n" + body)
    for words in said * 8:
        with suppress(OSError):
            connection = socket.create_connection((parts.host, parts.port or 80), timeout=5)
            opened.append(connection)
            connection.sendall(words)
    try:
        yield
    finally:
        for connection in opened:
            connection.close()


def fault(night: Night) -> tuple[str, Any]:
    """One fault, by lot."""
    judge, redis = night.judge, night.redis
    descriptors = night.process.num_fds()
    garbage = "".join(night.random.choices('{}[]",:0123456789eE+-. naNInfity\\u\n', k=200))
    faults: dict[str, Callable[[], Any]] = {
        "judge killed": lambda: judge_is_killed(night),
        "judge hangs": lambda: judge_says(night, judge.hang),
        "judge 500": lambda: judge_says(night, judge.says("boom", 500)),
        "judge garbage": lambda: judge_says(night, judge.says(garbage)),
        "judge says nothing of it": lambda: judge_says(night, judge.writes("I cannot tell.")),
        "redis killed": lambda: redis_is(night, redis.kill, redis.restart),
        "redis hangs": lambda: redis_is(night, redis.stop, redis.resume),
        "one child killed": lambda: child_gets(night, signal.SIGKILL, 1),
        "children killed": lambda: child_gets(night, signal.SIGKILL, 8),
        "a child stopped": lambda: child_gets(night, signal.SIGSTOP, 1),
        "no descriptors": lambda: limited(night, resource.RLIMIT_NOFILE, descriptors + night.random.randrange(3)),
        "no room on the disk": lambda: no_room_on_the_disk(night),
        "rude clients": lambda: rude_clients(night),
    }
    name = night.random.choice(sorted(faults))
    return name, faults[name]()


async def storm(night: Night, seconds: float) -> None:
    """Up to two faults at a time, some seconds each, with pauses."""
    ends = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < ends:
        async with AsyncExitStack() as stack:
            chosen: set[str] = set()
            for _ in range(night.random.choice((1, 1, 2))):
                name, context = fault(night)
                # Two faults of one thing would undo each other's end.
                if (about := name.split()[0]) in chosen:
                    continue
                chosen.add(about)
                await stack.enter_async_context(context)
                night.seen[f"fault: {name}"] += 1
            await asyncio.sleep(night.random.uniform(0.3, 4))
        await asyncio.sleep(night.random.uniform(0, 1))


async def recovered(night: Night) -> float:
    """Seconds until all is as it was."""
    started = asyncio.get_running_loop().time()
    async with httpx.AsyncClient(base_url=night.service.url, timeout=RECOVERY_SECONDS) as http:
        async with asyncio.timeout(RECOVERY_SECONDS):
            while True:
                with suppress(httpx.HTTPError):
                    first = next(night.numbers) * 1000
                    assert len((await http.get(ANNOTATION)).json()["facts"]) == 2, "a write that failed left its mark"
                    whole = await ask(http, list(range(first, first + 32)), Counter())
                    ready = (await http.get("/readyz")).json()
                    if whole and ready["ready"] and ready["checks"]["cache"] == "ok":
                        return asyncio.get_running_loop().time() - started
                await asyncio.sleep(0.2)


async def settles(count: Callable[[], int], most: int) -> bool:
    """Whether `count` comes down to `most` soon."""
    for _ in range(150):
        if count() <= most:
            return True
        await asyncio.sleep(0.1)
    return False


def memory(process: psutil.Process) -> int:
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))


async def live_through(night: Night, seconds: float) -> float:
    """Seconds to recover. Everything that goes wrong in the night is an AssertionError."""
    async with httpx.AsyncClient(base_url=night.service.url, timeout=60) as http:
        for first in range(3):
            await ask(http, list(range(first * 64, first * 64 + 64)), Counter())
    process = night.process
    children, descriptors, held = len(process.children(recursive=True)), process.num_fds(), memory(process)
    clients = [asyncio.create_task(client(night)) for _ in range(CLIENTS)]
    try:
        storming = asyncio.create_task(storm(night, seconds))
        done, _ = await asyncio.wait([storming, *clients], return_when=asyncio.FIRST_COMPLETED)
        night.over = True
        for task in done:
            task.result()
        took = await recovered(night)
        await asyncio.gather(storming, *clients)
    finally:
        for task in clients:
            task.cancel()
    assert await settles(lambda: abs(len(process.children(recursive=True)) - children), 0), "workers are not back"
    assert await settles(process.num_fds, descriptors + MORE_DESCRIPTORS), "descriptors are not back"
    assert await settles(lambda: memory(process), held + MORE_BYTES), "memory is not back"
    return took


@pytest_asyncio.fixture(loop_scope="module")
async def night(
    start_judge: Callable[[], Awaitable[Any]],
    start_redis: Callable[..., Any],
    start_process: Callable[..., Any],
    tokenizer_folder: Path,
    annotations_file: Path,
    request: pytest.FixtureRequest,
) -> Night:
    judge, redis = await start_judge(), start_redis()
    judge.reply = truthful(Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json")))
    service = start_process(
        *("--judge", f"openai:{judge.url}#m", "--judge-tokenizer", str(tokenizer_folder), "--judge-method", "paper"),
        *("--redis-url", redis.url, "--annotations", str(annotations_file), "--workers", "2"),
    )
    seed = int(os.environ.get("NIGHT", "20261126").split()[0])
    return Night(service, judge, redis, random.Random(seed))


@pytest.mark.faults
async def test_some_faults_of_a_night(night: Night):
    await live_through(night, 8)
    assert night.seen["right"] > 50, night.seen


@pytest.mark.faults
@pytest.mark.timeout(1200)
async def test_a_whole_night(night: Night, findings: list[Any], attack: Any):
    played = os.environ.get("NIGHT", "").split()
    seconds = float(played[1]) if len(played) > 1 else 600.0
    with attack(night.service, "ten minutes of faults by lot", bounded=False) as finding:
        finding.recovery = await live_through(night, seconds)
        missing = sum(night.seen[reason] for reason in REASONS)
        faults = sum(count for name, count in night.seen.items() if name.startswith("fault: "))
        finding.sees = (
            f"of {night.seen['right'] + missing:,} items {missing:,} missing, each with its reason, in {faults} "
            "faults; none wrong"
        )
    assert night.seen["right"] > seconds, night.seen

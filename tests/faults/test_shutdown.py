"""SIGTERM while a slow judge has requests under way: what was taken on is answered."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

FACT = {"id": "f", "text": "Segment AB has length 5."}
CLIENTS = 4


def options(tokenizer: Path) -> tuple[str, ...]:
    return ("--judge-method", "paper", "--judge-tokenizer", str(tokenizer), "--workers", "1")


def request(text: str, items: int) -> dict[str, Any]:
    return {"items": [{"response": f"AB = 5, {text}.{n}", "facts": [FACT]} for n in range(items)]}


async def whole(http: httpx.AsyncClient, text: str) -> tuple[int, list[dict[str, Any]]]:
    """A request on a connection that is kept: its status and results."""
    answer = await http.post("/v1/score", json=request(text, 3))
    if answer.status_code == 503:
        assert answer.headers["retry-after"] == "1"
        return 503, []
    return answer.status_code, answer.json()["results"]


async def streamed(http: httpx.AsyncClient, text: str) -> tuple[int, list[dict[str, Any]]]:
    async with http.stream("POST", "/v1/score/stream", json=request(text, 3)) as answer:
        if answer.status_code == 503:
            return 503, []
        lines = [json.loads(line) async for line in answer.aiter_lines()]
    assert "summary" in lines[-1]
    return answer.status_code, [line["result"] for line in lines[:-1]]


async def test_requests_under_way_are_answered_and_new_ones_sent_elsewhere(
    start_judge: Callable[[], Awaitable[Any]], start_shared_process: Callable[..., Any], tokenizer_folder: Path
):
    judge = await start_judge()
    judge.reply = judge.slowly(1.0)
    service = start_shared_process("--judge", f"openai:{judge.url}#m", *options(tokenizer_folder))
    answered: list[tuple[int, list[dict[str, Any]]]] = []
    served = asyncio.Semaphore(0)

    async def client(name: str, post: Callable[..., Awaitable[tuple[int, list[dict[str, Any]]]]]) -> str:
        async with httpx.AsyncClient(base_url=service.url, timeout=30) as http:
            for turn in range(30):
                try:
                    answer = await post(http, f"{name}.{turn}")
                except httpx.ConnectError:
                    return "turned away"  # the socket is closed: nothing was taken on
                if answer[0] == 503:
                    return "refused"
                answered.append(answer)
                served.release()
        return "never ended"

    clients = [
        asyncio.create_task(client(f"{post.__name__}-{number}", post))
        for post in (whole, streamed)
        for number in range(CLIENTS)
    ]
    async with asyncio.timeout(30):
        for _ in clients:
            await served.acquire()
        service.signal(signal.SIGTERM)
        ends = await asyncio.gather(*clients)
        assert await asyncio.to_thread(service.wait) == 0
    assert set(ends) <= {"refused", "turned away"}
    assert "refused" in ends
    assert {status for status, _ in answered} == {200}
    assert {result["status"] for _, results in answered for result in results} == {"ok"}
    assert {len(results) for _, results in answered} == {3}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(
    start_judge: Callable[[], Awaitable[Any]],
    start_shared_process: Callable[..., Any],
    tokenizer_folder: Path,
    number: int,
):
    judge = await start_judge()
    judge.reply = judge.hang
    service = start_shared_process("--judge", f"openai:{judge.url}#m", *options(tokenizer_folder))
    async with httpx.AsyncClient(base_url=service.url, timeout=30) as http:
        posts = [asyncio.create_task(http.post("/v1/score", json=request(str(n), 1))) for n in range(CLIENTS)]
        stream = asyncio.create_task(http.post("/v1/score/stream", json=request("s", 1)))
        async with asyncio.timeout(15):
            await judge.asked.wait()
            while service_metric(await http.get("/metrics")) < CLIENTS + 1:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            service.signal(number)
            while (await http.get("/readyz")).status_code == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            service.signal(number)
            assert await asyncio.to_thread(service.wait, 10) == 0
        for answer in await asyncio.gather(*posts):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["content-type"] == "application/problem+json"
        (broken_off,) = await asyncio.gather(stream, return_exceptions=True)
    assert isinstance(broken_off, httpx.TransportError)
    assert "Traceback" not in "".join(service.lines)
    assert [entry for entry in service.log if entry.get("level") == "error"] == []


def service_metric(answer: httpx.Response) -> float:
    (line,) = [line for line in answer.text.splitlines() if line.startswith("perception_reward_pending_items ")]
    return float(line.split()[1])


async def test_what_is_under_way_when_the_time_to_stop_is_over_is_told_so(
    start_judge: Callable[[], Awaitable[Any]], start_shared_process: Callable[..., Any], tokenizer_folder: Path
):
    judge = await start_judge()
    judge.reply = judge.hang
    drain = ("--drain-timeout", "0.2", *options(tokenizer_folder))
    service = start_shared_process("--judge", f"openai:{judge.url}#m", *drain)
    async with httpx.AsyncClient(base_url=service.url, timeout=30) as http:
        post = asyncio.create_task(http.post("/v1/score", json=request("x", 1)))
        async with asyncio.timeout(25):
            await judge.asked.wait()
            service.signal(signal.SIGTERM)
            assert (await post).status_code == 503
            assert await asyncio.to_thread(service.wait, 10) == 0
    assert "Traceback" not in "".join(service.lines)

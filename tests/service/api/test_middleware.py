from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.exceptions import HTTPException

from perception_reward.service.api import middleware

HEAD = b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


async def test_a_body_that_does_not_arrive_is_refused_when_the_requests_time_is_over(serve: Callable[..., Any]):
    here = await serve(request_timeout=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(here.url).port)
    writer.write(HEAD + b"{")
    async with asyncio.timeout(10):
        answer = await reader.read()  # to its end: the connection is closed
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer
    assert 'refused_total{reason="too_slow"} 1.0' in here.service.metrics.exposition().decode()


async def test_the_time_that_a_body_takes_is_part_of_the_requests(serve: Callable[..., Any]):
    here = await serve(request_timeout=5)
    given: list[float] = []

    async def score(request: object, deadline: float) -> object:
        given.append(deadline - asyncio.get_running_loop().time())
        raise HTTPException(418, "seen")

    object.__setattr__(here.service.scorer, "score", score)

    async def slowly():
        yield b'{"items": '
        await asyncio.sleep(1)
        yield b'[{"response": "x"}]}'

    async with httpx.AsyncClient() as client:
        headers = {"Content-Type": "application/json"}
        assert (await client.post(f"{here.url}/v1/score", content=slowly(), headers=headers)).status_code == 418
    assert given[0] < 4


async def test_a_refusal_does_not_wait_for_ever_for_the_body_it_refuses(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(middleware, "DISCARD_SECONDS", 0.1)
    here = await serve()
    here.service.admission.draining = True
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(here.url).port)
    writer.write(HEAD + b"{")
    async with asyncio.timeout(10):
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
    writer.close()

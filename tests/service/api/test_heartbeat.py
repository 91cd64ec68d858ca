from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.exceptions import HTTPException

from perception_reward.service.api import heartbeat

ITEM = {"response": "AB = 5", "facts": [{"id": "f", "text": "Segment AB has length 5."}]}
BODY = {"items": [ITEM]}
ASKED = {"X-Heartbeat": "0.05"}
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "SOONEST", 0.01)


async def test_an_answer_that_takes_long_begins_with_white_space_and_is_json(
    serve: Callable[..., Any], scripted_judge: Any
):
    judge = scripted_judge()
    judge.may_answer.clear()
    here = await serve(judge)
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("POST", f"{here.url}/v1/score", json=BODY, headers=ASKED) as answer,
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        pieces = answer.aiter_raw()
        assert [await anext(pieces) for _ in range(2)] == [b" ", b" "]
        judge.may_answer.set()
        (result,) = json.loads(b"".join([piece async for piece in pieces]))["results"]
    assert result["status"] == "ok"


async def test_an_answer_that_is_soon_there_is_as_without_the_header(serve: Callable[..., Any]):
    here = await serve()
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(f"{here.url}/v1/score", json=BODY, headers={"X-Heartbeat": "60"})
    assert answer.content.startswith(b"{")
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_without_the_header_nothing_is_said_before_the_answer(serve: Callable[..., Any], scripted_judge: Any):
    judge = scripted_judge()
    judge.may_answer.clear()
    here = await serve(judge)
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        asking = asyncio.create_task(client.post(f"{here.url}/v1/score", json=BODY))
        beating = asyncio.create_task(client.post(f"{here.url}/v1/score", json=BODY, headers=ASKED))
        await judge.asked.wait()
        await asyncio.sleep(0.2)  # some beats
        judge.may_answer.set()
        assert (await asking).content.startswith(b"{")
        assert (await beating).content.startswith(b"  ")


@pytest.mark.parametrize("asked", ["", "soon", "nan", "inf"])
async def test_what_is_no_time_asks_for_nothing(serve: Callable[..., Any], asked: str):
    here = await serve()
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(f"{here.url}/v1/score", json=BODY, headers={"X-Heartbeat": asked})
    assert answer.status_code == 200


async def test_a_body_on_its_way_is_not_answered_before_it_was_read(serve: Callable[..., Any]):
    here = await serve()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"items": '
        await asyncio.sleep(0.3)  # some beats
        yield b'[{"responce": "x"}]}'

    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(f"{here.url}/v1/score", content=slowly(), headers=ASKED)
    assert answer.status_code == 422


async def test_an_answer_that_had_begun_and_fails_is_broken_off_and_counted_as_what_it_is(serve: Callable[..., Any]):
    here = await serve()
    may_fail = asyncio.Event()

    async def score(request: object, deadline: float) -> object:
        await may_fail.wait()
        raise HTTPException(504, "too late")

    object.__setattr__(here.service.scorer, "score", score)
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("POST", f"{here.url}/v1/score", json=BODY, headers=ASKED) as answer,
    ):
        pieces = answer.aiter_raw()
        await anext(pieces)
        may_fail.set()
        with pytest.raises(httpx.RemoteProtocolError):
            [piece async for piece in pieces]
    assert 'status="504"' in here.service.metrics.exposition().decode()

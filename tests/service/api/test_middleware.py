from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.exceptions import HTTPException

from perception_reward.service.api import middleware
from perception_reward.service.api.middleware import presented_key

KEY = "s3cret-key"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer wrong", 401),
        (f"Bearer {KEY}", 200),
        (f"bearer  {KEY}", 200),
        (basic("anyone", KEY), 200),
        (basic(KEY, ""), 401),
        ("Basic !!!", 401),
        ("Basic", 401),
        (f"Digest {KEY}", 401),
    ],
)
async def test_a_key_opens_the_service(serve: Callable[..., Any], authorization: str | None, status: int):
    here = await serve(api_key=f"old,{KEY}")
    headers = {"Authorization": authorization} if authorization else {}
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{here.url}/v1/judge", headers=headers)
        assert answer.status_code == status
        assert (await client.get(f"{here.url}/livez")).status_code == 200
        metrics = (await client.get(f"{here.url}/metrics", headers={"Authorization": f"Bearer {KEY}"})).text
    if status == 401:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "WWW-Authenticate" in answer.headers
    assert KEY not in answer.text + metrics


@pytest.mark.parametrize("key", ["clé", "voilà", "钥匙"])
async def test_a_key_may_hold_any_letter(serve: Callable[..., Any], key: str):
    here = await serve(api_key=key)
    async with httpx.AsyncClient() as client:
        for authorization in (f"Bearer {key}", basic("anyone", key)):
            answer = await client.get(f"{here.url}/v1/judge", headers={b"Authorization": authorization.encode()})
            assert answer.status_code == 200


def test_a_key_with_a_colon_survives_basic_authentication():
    assert presented_key(basic("user", "a:b")) == b"a:b"


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


@pytest.mark.parametrize(
    ("settings", "key", "metrics", "scores"),
    [
        ({}, None, 401, 401),
        ({}, KEY, 200, 200),
        ({"metrics_key": "scrape"}, "scrape", 200, 401),
        ({"metrics_key": "scrape"}, KEY, 200, 200),
        ({"metrics_key": "scrape"}, None, 401, 401),
        ({"open_metrics": True}, None, 200, 401),
    ],
)
async def test_metrics_have_a_key_of_their_own_or_none(
    serve: Callable[..., Any], settings: dict[str, Any], key: str | None, metrics: int, scores: int
):
    here = await serve(api_key=KEY, **settings)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=here.url, headers=headers) as client:
        assert (await client.get("/metrics")).status_code == metrics
        assert (await client.get("/v1/profiles")).status_code == scores


async def test_a_refused_key_is_logged_with_the_path_and_the_address_and_without_the_key(
    serve: Callable[..., Any], caplog: pytest.LogCaptureFixture
):
    here = await serve(api_key=KEY)
    caplog.set_level(logging.INFO)
    async with httpx.AsyncClient(base_url=here.url) as client:
        await client.get("/v1/judge?key=wr0ng", headers={"Authorization": "Bearer wr0ng"})
    (entry,) = [entry for entry in caplog.records if entry.getMessage().endswith(" 401")]
    assert entry.levelno == logging.WARNING
    assert entry.__dict__["path"] == "/v1/judge"
    assert entry.__dict__["client"].startswith("127.0.0.1:")
    assert "wr0ng" not in str(entry.__dict__)

from __future__ import annotations

import asyncio
import gzip
import json
import math
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from perception_reward.service.judges.http import body
from perception_reward.service.judges.http.body import Unusable, decoded, first_bytes, whole_body
from perception_reward.service.judges.llm.engine import JudgeFailure

MOST = 10_000


@pytest.fixture
async def get(server: Any) -> AsyncIterator[Callable[..., Any]]:
    """`await get(handler)`: the server's answer, and what it still sends is in `server`."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def ask(handler: Any) -> aiohttp.ClientResponse:
            server.script = [handler]
            return await session.post(server.url + "/v1/completions", json={})

        yield ask


def endless(sent: list[int]) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        while True:
            await reply.write(b" " * 65_536)
            sent[0] += 65_536

    return handler


def trickle(pieces: list[bytes]) -> Any:
    """The pieces, and then nothing more."""

    async def handler(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        for piece in pieces:
            await reply.write(piece)
        await asyncio.Event().wait()
        return reply

    return handler


async def test_a_body_within_its_limit_is_whole(get: Callable[..., Any], server: Any):
    assert await whole_body(await get(server.status(200, "x" * MOST)), MOST) == b"x" * MOST
    assert await whole_body(await get(server.status(200, "")), MOST) == b""


async def test_a_body_that_says_it_is_too_large_is_not_begun(get: Callable[..., Any], server: Any):
    reply = await get(server.status(200, "x" * (MOST + 1)))
    with pytest.raises(Unusable, match="more than 10000 bytes") as error:
        await whole_body(reply, MOST)
    assert error.value.fault == "size"
    assert reply.closed


async def test_a_body_without_an_end_is_left(get: Callable[..., Any]):
    sent = [0]
    with pytest.raises(Unusable, match="more than 10000 bytes"):
        await whole_body(await get(endless(sent)), MOST)
    # What the buffers on the way hold.
    assert sent[0] < 50_000_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, gzip", "GZIP"])
async def test_a_packed_body_is_not_taken(get: Callable[..., Any], encoding: str):
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b" " * 1_000_000), headers={"Content-Encoding": encoding})

    with pytest.raises(Unusable) as error:
        await whole_body(await get(handler), MOST)
    assert error.value.fault == "encoding"


async def test_a_body_that_stops_in_the_middle_is_not_waited_for(
    get: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(body, "BODY_SECONDS", 0.2)
    with pytest.raises(Unusable) as error:
        await whole_body(await get(trickle([b'{"choices"'])), MOST)
    assert error.value.fault == "slow"


async def test_of_a_refusal_the_first_bytes_are_enough(get: Callable[..., Any]):
    assert await first_bytes(await get(endless([0])), 100) == b" " * 100
    assert await first_bytes(await get(trickle([b"ab", b"cd"])), 4) == b"abcd"


NO_JSON = [b"", b"nothing", b"[" * 100_000, b'{"a": NaN}', b'"\xff"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}", b"9" * 5000]


@pytest.mark.parametrize("text", [*NO_JSON, "[]".encode("utf-16"), zlib.compress(b"[]"), b"[] []"])
def test_what_is_no_json_is_not_read(text: bytes):
    with pytest.raises(JudgeFailure, match="judge_unparseable"):
        decoded(text)


def test_numbers_that_are_none_stay_what_they_are():
    assert decoded(b"[Infinity, -Infinity, 1e400]") == [math.inf, -math.inf, math.inf]
    assert decoded(b"9" * 4000) == int("9" * 4000)


def test_an_object_that_contradicts_itself_says_nothing():
    assert decoded(b'{"a": 1, "b": {"c": 1, "c": 2}, "d": {"c": 1}}') == {"a": 1, "b": None, "d": {"c": 1}}
    assert decoded(json.dumps({"a": [{}, {"b": 1}]}).encode()) == {"a": [{}, {"b": 1}]}

from __future__ import annotations

import asyncio
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from perception_reward.service.api.intake import PIECE, Unpacked

MIB = 1 << 20
ITEM = {"response": "AB = 5", "facts": [{"id": "f", "text": "Segment AB has length 5.", "kind": "length"}]}
BODY = json.dumps({"items": [ITEM]}).encode()
PACKED = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def post(url: str, body: bytes | Iterator[bytes], headers: dict[str, str] = PACKED) -> httpx.Response:
    return httpx.post(f"{url}/v1/score", content=body, headers=headers, timeout=60)


def test_a_packed_body_is_read_like_a_plain_one(served: str):
    answer = post(served, gzip.compress(BODY))
    assert answer.status_code == 200
    assert answer.json()["results"][0]["score"] == pytest.approx(0.7)


def test_a_large_packed_body_is_read(served: str):
    body = json.dumps({"items": [{**ITEM, "response": f"AB = {n} " * 2000} for n in range(300)]}).encode()
    assert len(body) > 4 * PIECE
    answer = post(served, gzip.compress(body, 1))
    assert len(answer.json()["results"]) == 300


@pytest.mark.parametrize("sent", ["whole", "in chunks"])
def test_a_bomb_is_refused_by_what_it_holds(served: str, sent: str):
    bomb = gzip.compress(b" " * (64 * MIB))
    assert len(bomb) < MIB
    chunks = (bomb[start : start + 1000] for start in range(0, len(bomb), 1000))
    answer = post(served, bomb if sent == "whole" else chunks)
    assert answer.status_code == 413
    assert "8 MiB unpacked" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BODY, "no gzip file"),
        (zlib.compress(BODY), "no gzip file"),
        (gzip.compress(BODY)[:-9], "ends too soon"),
        (gzip.compress(BODY)[:5], "ends too soon"),
        (gzip.compress(BODY) + b"x", "behind the end"),
        (gzip.compress(BODY) + gzip.compress(BODY), "behind the end"),
        (gzip.compress(os.urandom(1000))[:400] + b"\xff" * 600, ""),
    ],
    ids=["plain", "zlib", "cut", "cut in the header", "more", "two files", "damaged"],
)
def test_what_is_no_gzip_file_is_told(served: str, body: bytes, words: str):
    answer = post(served, body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip"])
def test_other_encodings_are_refused_and_the_right_one_is_named(served: str, encoding: str):
    answer = post(served, gzip.compress(BODY), {**PACKED, "Content-Encoding": encoding})
    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("encoding", ["identity", "GZIP", "x-gzip"])
def test_an_encoding_has_other_names(served: str, encoding: str):
    body = BODY if encoding == "identity" else gzip.compress(BODY)
    assert post(served, body, {**PACKED, "Content-Encoding": encoding}).status_code == 200


async def test_annotations_can_be_loaded_packed(serve: Callable[..., Any], annotations_file: Path):
    here = await serve(annotations=str(annotations_file))
    lines = gzip.compress(b"\n".join(json.dumps({"id": f"p{n}"}).encode() for n in range(50)))
    async with httpx.AsyncClient(base_url=here.url, timeout=60) as client:
        answer = await client.post("/v1/annotations:batch", content=lines, headers=PACKED)
    assert answer.json() == {"stored": 50, "failed": 0, "errors": []}


async def unpacked(chunks: list[bytes]) -> bytes:
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    arriving = iter(messages)

    async def receive() -> Any:
        return next(arriving)

    source, body, more = Unpacked(receive), b"", True
    while more:
        message = await source()
        assert len(message["body"]) <= PIECE
        body, more = body + message["body"], message["more_body"]
    return body


@given(st.binary(max_size=2000), st.integers(0, 2500), st.lists(st.integers(0, 3000), max_size=5))
def test_however_it_is_cut_the_same_comes_out(content: bytes, repeats: int, cuts: list[int]):
    content = content * (1 + repeats // 2)
    packed = gzip.compress(content)
    bounds = [0, *sorted(min(cut, len(packed)) for cut in cuts), len(packed)]
    chunks = [packed[start:end] for start, end in pairwise(bounds)]
    assert asyncio.run(unpacked(chunks)) == content


@given(st.binary(min_size=1, max_size=200))
def test_whatever_arrives_is_unpacked_or_refused(packed: bytes):
    try:
        asyncio.run(unpacked([packed]))
    except HTTPException as error:
        status = error.status_code
    else:
        status = 200
    assert status in (200, 400)


async def test_an_empty_body_is_no_broken_file():
    assert await unpacked([]) == b""


async def test_a_body_for_which_there_is_no_room_is_refused_until_others_are_done(serve: Callable[..., Any]):
    here = await serve(max_body_mb=1, max_buffered_mb=1)
    here.judge.may_answer.clear()
    large = json.dumps({"items": [{**ITEM, "response": "AB = 5 " * 100_000}]}).encode()
    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=here.url, timeout=60) as client:
        first = asyncio.create_task(client.post("/v1/score", content=large, headers=headers))
        await here.judge.asked.wait()
        refused = await client.post("/v1/score", content=large, headers=headers)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "1"
        assert (await client.post("/v1/score", json={"items": [{"response": "small"}]})).status_code == 200
        here.judge.may_answer.set()
        assert (await first).status_code == 200
        assert (await client.post("/v1/score", content=large, headers=headers)).status_code == 200
    assert 'refused_total{reason="no_room"} 1.0' in here.service.metrics.exposition().decode()

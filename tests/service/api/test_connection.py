"""Over real sockets: what a client gets for a header without end, for saying nothing, and for saying too much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from perception_reward.service.api import connections
from perception_reward.service.api.connection import (
    MOST_AHEAD,
    MOST_FIELDS,
    MOST_FRAMING_BYTES,
    MOST_GATHERED,
    MOST_HEADER_BYTES,
    Gathered,
)
from perception_reward.service.api.connections import Wait

GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = (
    b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
)
BODY = json.dumps({"items": [{"response": "AB = 5"}]}).encode()


async def opened(here: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", httpx.URL(here.url).port)


async def answers(here: Any, *sent: bytes) -> bytes:
    """All that comes back until the service hangs up."""
    reader, writer = await opened(here)
    try:
        for part in sent:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


async def one_answer(here: Any, sent: bytes) -> bytes:
    """The first of what comes back, on a connection that stays open."""
    reader, writer = await opened(here)
    writer.write(sent)
    try:
        async with asyncio.timeout(20):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()


def problem_of(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"Connection: close" in head
    return json.loads(body)


@pytest.mark.parametrize(
    "header",
    [
        b"X: " + b"x" * MOST_HEADER_BYTES,
        b"x" * MOST_HEADER_BYTES,
        b"a: b\r\n" * (MOST_HEADER_BYTES // 6),
        b"a:\r\n" * (MOST_FIELDS + 1),
    ],
    ids=["a long value", "a long name", "many fields", "a field too many"],
)
@pytest.mark.parametrize("rest", [b"", b"\r\n\r\n"], ids=["unended", "ended"])
async def test_a_header_over_the_bounds_is_refused(serve: Callable[..., Any], header: bytes, rest: bytes):
    here = await serve()
    problem = problem_of(await answers(here, GET + header + rest))
    assert problem["status"] == 431
    assert 'refused_total{reason="header_too_large"} 1.0' in here.service.metrics.exposition().decode()


async def test_an_address_counts_as_header(serve: Callable[..., Any]):
    here = await serve()
    assert problem_of(await answers(here, b"GET /" + b"x" * MOST_HEADER_BYTES))["status"] == 431


async def test_a_header_up_to_the_bounds_is_read(serve: Callable[..., Any]):
    here = await serve()
    long = GET + b"X: " + b"x" * (MOST_HEADER_BYTES - len(GET) - 7) + b"\r\n\r\n"
    assert len(long) == MOST_HEADER_BYTES
    many = GET + b"a: b\r\n" * (MOST_FIELDS - 1) + b"\r\n"
    for sent in (long, many):
        assert (await one_answer(here, sent)).startswith(b"HTTP/1.1 200 ")


async def test_headers_are_bounded_one_by_one(serve: Callable[..., Any]):
    here = await serve()
    reader, writer = await opened(here)
    for _ in range(4):
        writer.write(GET + b"X: " + b"x" * (MOST_HEADER_BYTES // 2) + b"\r\n\r\n")
        assert (await reader.readuntil(b'{"live":true}')).startswith(b"HTTP/1.1 200 ")
    writer.close()


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"0\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"0\r\nX: " + b"x" * 2 * MOST_FRAMING_BYTES, 400),
        (b"1;" + b"x" * 2 * MOST_FRAMING_BYTES, 400),
        (b"nonsense\r\n", 400),
    ],
    ids=["fields of a trailer", "a long trailer", "a long extension", "no chunk"],
)
async def test_what_stands_around_a_body_is_bounded(serve: Callable[..., Any], rest: bytes, status: int):
    here = await serve()
    chunk = b"%x\r\n%s\r\n" % (len(BODY), BODY)
    assert problem_of(await answers(here, CHUNKED + b"\r\n" + chunk, rest))["status"] == status


async def test_a_body_in_chunks_of_one_byte_with_a_trailer_is_read(serve: Callable[..., Any]):
    here = await serve()
    chunks = b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in BODY) + b"0\r\nChecksum: 1\r\n\r\n"
    assert (await one_answer(here, CHUNKED + b"\r\n" + chunks)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("sent", [b"", b"GET /livez HT", GET])
async def test_a_header_that_does_not_come_ends_its_connection(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, sent: bytes
):
    monkeypatch.setitem(connections.PATIENCE, Wait.HEAD, 0.2)
    here = await serve()
    answer = await answers(here, sent)
    assert problem_of(answer)["status"] == 408 if sent else answer == b""


async def test_a_header_that_trickles_in_has_no_more_time(serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(connections.PATIENCE, Wait.HEAD, 1)
    here = await serve()
    reader, writer = await opened(here)

    async def trickle() -> None:
        while True:
            writer.write(b"X")
            await asyncio.sleep(0.05)

    writer.write(GET)
    trickling = asyncio.create_task(trickle())
    async with asyncio.timeout(20):
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    trickling.cancel()
    writer.close()


async def test_a_kept_connection_waits_longer_than_a_header_may(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connections.PATIENCE, Wait.HEAD, 0.2)
    here = await serve()
    reader, writer = await opened(here)
    for _ in range(2):
        writer.write(GET + b"\r\n")
        assert (await reader.readuntil(b'{"live":true}')).startswith(b"HTTP/1.1 200 ")
        await asyncio.sleep(1.3)  # a sweep
    writer.close()


async def test_a_few_requests_ahead_are_answered_in_order(serve: Callable[..., Any]):
    here = await serve()
    reader, writer = await opened(here)
    writer.write((GET + b"\r\n") * MOST_AHEAD)
    async with asyncio.timeout(20):
        for _ in range(MOST_AHEAD):
            assert (await reader.readuntil(b'{"live":true}')).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_thousands_of_requests_ahead_end_their_connection(serve: Callable[..., Any]):
    here = await serve()
    with pytest.raises(ConnectionError):
        await answers(here, (GET + b"\r\n") * 5000)


async def test_a_request_before_nonsense_is_answered(serve: Callable[..., Any]):
    here = await serve()
    request = CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: %d" % len(BODY)) + b"\r\n" + BODY
    answer = await answers(here, request + b"nonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
async def test_another_protocol_is_answered_in_this_one(serve: Callable[..., Any], protocol: bytes):
    here = await serve()
    upgrade = b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\nSec-WebSocket-Key: eA==\r\n\r\n"
    assert (await one_answer(here, GET + upgrade)).startswith(b"HTTP/1.1 200 ")


async def test_a_reader_that_stalls_is_cut_off(serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(connections.PATIENCE, Wait.READER, 0.2)
    here = await serve()
    reader, writer = await opened(here)

    async def ask_and_never_read() -> None:
        while True:
            writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await asyncio.sleep(0)
            await writer.drain()

    reader._limit = 1  # pyright: ignore
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(30):
            await ask_and_never_read()


class Wire(asyncio.Transport):
    """A transport that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data))

    def write_eof(self) -> None:
        self.told.append("eof")

    def close(self) -> None:
        self.told.append("close")

    def abort(self) -> None:
        self.told.append("abort")


async def test_what_is_written_in_one_turn_is_sent_at_once():
    wire = Wire()
    gathered = Gathered(wire)
    gathered.write(b"head ")
    gathered.write(b"body")
    assert wire.told == []
    await asyncio.sleep(0)
    assert wire.told == [b"head body"]
    await asyncio.sleep(0)
    gathered.write(b"next")
    await asyncio.sleep(0)
    assert wire.told == [b"head body", b"next"]


async def test_what_is_gathered_goes_before_what_is_long_and_before_the_end():
    for end, said in ((Gathered.close, "close"), (Gathered.write_eof, "eof"), (Gathered.abort, "abort")):
        wire = Wire()
        gathered = Gathered(wire)
        gathered.write(b"head")
        gathered.write(long := bytes(MOST_GATHERED))
        gathered.write(b"rest")
        end(gathered)
        assert wire.told == [b"head", long, b"rest", said]
        await asyncio.sleep(0)
        assert len(wire.told) == 4

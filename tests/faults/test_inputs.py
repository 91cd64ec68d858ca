"""Hostile and clumsy clients: huge bodies, strange text, slow and idle connections."""

from __future__ import annotations

import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

MIB = 1 << 20
LIMIT_MB = 24
FACT = {"id": "f", "text": "Segment AB has length 5.", "kind": "length"}
JSON = {"Content-Type": "application/json"}
ITEM = {"response": "AB = 5", "facts": [FACT]}


@pytest.fixture(scope="module")
def service(start_shared_process: Callable[..., Any]) -> Any:
    return start_shared_process("--workers", "1", "--max-body-mb", str(LIMIT_MB))


@pytest.fixture
def http(service: Any) -> Iterator[httpx.Client]:
    """A client; after each test the service still answers as ever."""
    with httpx.Client(base_url=service.url, timeout=30) as client:
        yield client
        well(client)


def well(http: httpx.Client) -> float:
    """The seconds in which a harmless request is answered."""
    started = time.monotonic()
    answer = http.post("/v1/score", json={"items": [ITEM]})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["facts"][0]["verdict"] == "stated"
    return time.monotonic() - started


def peak_memory(pid: int) -> int:
    """The most bytes the process has held since `forget_peak`. Linux."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak(pid: int) -> int:
    """Begin to measure the peak anew; the bytes held now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak_memory(pid)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux' /proc")
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_never_held_in_memory(http: httpx.Client, service: Any, announced: bool):
    headers = {**JSON, "Content-Length": str(100 * MIB)} if announced else JSON
    before = forget_peak(service.pid)
    answer = http.post("/v1/score", content=(b" " * MIB for _ in range(100)), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert peak_memory(service.pid) - before < 2 * LIMIT_MB * MIB


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux' /proc")
def test_what_a_small_body_would_unpack_to_is_never_held_in_memory(http: httpx.Client, service: Any):
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(b" " * MIB) for _ in range(500)) + packer.flush()
    assert len(bomb) < MIB
    before = forget_peak(service.pid)
    answer = http.post("/v1/score", content=bomb, headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert peak_memory(service.pid) - before < 2 * LIMIT_MB * MIB


def test_ten_thousand_facts_of_one_item_are_refused(http: httpx.Client):
    facts = [{"id": str(n), "text": f"Segment AB has length {n}."} for n in range(10_000)]
    answer = http.post("/v1/score", json={"items": [{"response": "AB = 5", "facts": facts}]})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"where": "items[0].facts", "what": "10000 facts; at most 256 of one item"}]


def test_ten_thousand_facts_of_a_request_are_judged(http: httpx.Client):
    facts = [{"id": str(n), "text": f"Segment AB has length {n}.", "kind": "length"} for n in range(1, 251)]
    items = [{"response": f"So AB = {n}.", "facts": facts} for n in range(1, 41)]
    response = http.post("/v1/score", json={"items": items}).json()
    assert response["summary"]["facts"] == 10_000
    assert {result["status"] for result in response["results"]} == {"ok"}
    for number, result in enumerate(response["results"], start=1):
        assert [fact["id"] for fact in result["facts"] if fact["verdict"] == "stated"] == [str(number)]


STRANGE = {
    "a lone surrogate": "\ud800 AB = 5",
    "control characters": "AB = 5\x00\x01\x07\x1b[2J\x7f\x85",
    "an emoji of several": "👩‍👩‍👧‍👦 AB = 5 🏳️‍🌈",
    "right to left": "\u202e5 = BA\u202c مرحبا AB = 5 שלום",
    "marks without end": "AB = 5" + "\u0301" * 20_000,
    "a megabyte of words": "AB = 5. " * (MIB // 8),
    "a megabyte of brackets": "(" * MIB,
    "a megabyte of one letter": "a " * (MIB // 2),
    "a megabyte without a space": "AB=5" * (MIB // 4),
    "a megabyte of tags": "<think>" * (MIB // 7),
    "a megabyte of boxes": "<answer>" + "\\boxed{" * (MIB // 7),
    "nothing": "",
}


@pytest.mark.parametrize("response", STRANGE.values(), ids=STRANGE)
def test_strange_text_is_scored_and_harms_no_neighbour(http: httpx.Client, response: str):
    strange = {"response": response, "facts": [FACT], "answer": "5", "id": response[:40] or "x"}
    body = json.dumps({"items": [strange, ITEM]}).encode()
    answer = http.post("/v1/score", content=body, headers=JSON)
    assert answer.status_code == 200, answer.text
    result, neighbour = answer.json()["results"]
    assert (result["status"], neighbour["status"]) == ("ok", "ok")
    assert neighbour["facts"][0]["verdict"] == "stated"


@pytest.mark.parametrize(
    "body",
    [
        b'{"items": [{"response": "x", "step": NaN}]}',
        b'{"items": [{"response": "x", "facts": [{"id": "f", "text": "x", "weight": 1e999}]}]}',
        b'{"items": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}",
        b'{"items": [{"response": ' + b'{"content": [' * 50_000 + b"]}" * 50_000 + b"}]}",
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b'{"step": ' + b"9" * 100_000 + b', "items": [{"response": "x"}]}',
        b'{"items": [' + b"{}," * 300_000 + b"{}]}",
        b"\xff\xfe{\x00}\x00",
        b"\x00" * 1000,
    ],
    ids=["NaN", "infinity", "deep lists", "deep messages", "deep objects", "long number", "many", "UTF-16", "zeros"],
)
@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/stream"])
def test_what_cannot_be_read_is_refused_in_few_words(http: httpx.Client, path: str, body: bytes):
    answer = http.post(path, content=body, headers=JSON)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"]
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("value", ["nan", "-1", "0", "inf", "1e9", "x" * 1000])
def test_a_time_that_is_none_is_refused(http: httpx.Client, value: str):
    answer = http.post("/v1/score", json={"items": [ITEM]}, headers={"X-Request-Timeout": value})
    assert answer.status_code == 422


def connection(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=15)


def test_bodies_that_come_a_byte_at_a_time_block_nobody(http: httpx.Client, service: Any):
    body = json.dumps({"items": [ITEM]}).encode()
    head = (
        f"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with ExitStack() as stack:
        slow = [stack.enter_context(closing(connection(service.url))) for _ in range(20)]
        for client in slow:
            client.sendall(head.encode())
        for byte in range(5):
            for client in slow:
                client.sendall(body[byte : byte + 1])
            assert well(http) < 5
        for client in slow:
            client.sendall(body[5:])
        assert all(client.recv(12) == b"HTTP/1.1 200" for client in slow)


def test_hundreds_of_idle_connections_block_nobody(http: httpx.Client, service: Any):
    with ExitStack() as stack:
        idle = [stack.enter_context(closing(connection(service.url))) for _ in range(500)]
        assert well(http) < 5
        idle[-1].sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle[-1].recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n", b"POST /v1/score HTTP/1.1\r\nContent-Length: -1\r\n\r\n"],
)
def test_what_is_no_http_is_refused(http: httpx.Client, service: Any, sent: bytes):
    with closing(connection(service.url)) as client:
        client.sendall(sent + b"\r\n" * 4)
        assert client.recv(12) in (b"HTTP/1.1 400", b"")

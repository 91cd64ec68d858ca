"""Connections that say nothing, too much, or never read: nobody else notices, and nothing runs out."""

from __future__ import annotations

import resource
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

MIB = 1 << 20
HALF = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: "
KINDS = {
    "silent": b"",
    "with half a header": HALF,
    "kept after an answer": b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


def connection(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=15)


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.fixture
def many_files() -> Iterator[None]:
    """The test's own descriptors: as many as its process may have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
def test_connections_that_wait_take_nobodys_place(
    attack: Callable[..., Any], start_process: Callable[..., Any], many_files: None, kind: str
):
    service = start_process("--workers", "1", open_files=512)
    before = descriptors(service.pid)
    with (
        attack(service, f"connections {kind}, more than the service may open files (512)") as finding,
        ExitStack() as stack,
    ):
        opened: list[socket.socket] = []
        for _ in range(1500):
            opened.append(stack.enter_context(closing(connection(service.url))))
            opened[-1].sendall(KINDS[kind])
            if kind == "kept after an answer":
                assert opened[-1].recv(12) == b"HTTP/1.1 200"
        assert httpx.get(f"{service.url}/readyz", timeout=10).status_code == 200
        assert descriptors(service.pid) < 450
        finding.sees = "nothing: who waits longest is closed, whoever comes is served"
    assert service.log[-1]["level"] != "error"
    assert len(service.lines) < 100
    assert within(10, lambda: descriptors(service.pid) <= before + 2)


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limit is set with prlimit")
def test_no_descriptor_left_ends_in_no_flood(attack: Callable[..., Any], start_process: Callable[..., Any]):
    service = start_process("--workers", "1")
    before = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
    with attack(service, "the service's own work takes all descriptors, for 3 s") as finding, ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(closing(connection(service.url)))
        assert within(10, lambda: descriptors(service.pid) > 20)
        used = max(int(entry.name) for entry in Path(f"/proc/{service.pid}/fd").iterdir())
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (used + 1, before[1]))
        computed, until = cpu_seconds(service.pid), time.monotonic() + 3
        while time.monotonic() < until:
            stack.enter_context(closing(connection(service.url)))
            time.sleep(0.1)
        assert cpu_seconds(service.pid) - computed < 1.5
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, before)
        finding.sees = "nothing: connections that wait give theirs back"
    assert len(service.lines) < 20


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize(
    ("fault", "part", "times"),
    [
        ("a header of 100 MB", b"x" * MIB, 100),
        ("a header of 4 million fields", b"a:b\r\n" * 200_000, 20),
        ("an address of 100 MB", b"x" * MIB, 100),
    ],
)
def test_a_header_without_end_is_refused(
    attack: Callable[..., Any], start_process: Callable[..., Any], fault: str, part: bytes, times: int
):
    service = start_process("--workers", "1", environment={"api_key": "secret"})
    begin = b"GET /" if "address" in fault else HALF.removesuffix(b"X: ") if "fields" in fault else HALF
    with attack(service, fault, key="secret") as finding, closing(connection(service.url)) as client:
        time.sleep(0.5)
        answer = sent_while_reading(client, begin, *[part] * times, b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b"application/problem+json" in answer
        finding.sees = "431 problem+json, and the connection is closed"
    assert finding.bytes < 16 * MIB


def sent_while_reading(client: socket.socket, *parts: bytes) -> bytes:
    """What came back while the parts were sent, as far as the service took them."""
    answer = b""
    with suppress(OSError):
        for part in parts:
            view = memoryview(part)
            while view:
                readable, _, _ = select.select([client], [client], [], 15)
                if readable:
                    answer += client.recv(65536)
                    view = memoryview(b"")
                else:
                    view = view[client.send(view) :]
            if answer:
                return answer
        answer += client.recv(65536)
    return answer


ASK = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.faults
@pytest.mark.timeout(240)
@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
@pytest.mark.parametrize(
    ("fault", "sent", "a_second"),
    [
        ("500 new connections a second with half a header of 31 KiB, for 45 s", HALF + b"x" * 31_000, 500),
        ("500 new connections a second with 120 fields of a header, for 45 s", HALF + b"1\r\n" + b"a:b\r\n" * 120, 500),
        ("500 new silent connections a second, for 45 s", b"", 500),
        ("4 new connections a second that ask 16 pages and read none, for 45 s", ASK * 16, 4),
    ],
)
def test_connections_without_end(
    attack: Callable[..., Any],
    start_process: Callable[..., Any],
    many_files: None,
    fault: str,
    sent: bytes,
    a_second: int,
):
    service = start_process("--workers", "1")
    before = descriptors(service.pid)
    with attack(service, fault) as finding, ExitStack() as stack:
        until = time.monotonic() + 45
        while time.monotonic() < until:
            for _ in range(a_second):
                one = stack.enter_context(closing(connection(service.url)))
                with suppress(OSError):
                    one.setblocking(False)
                    one.send(sent)
            time.sleep(1)
        finding.sees = "nothing: who waits longest is closed, whoever comes is served"
    assert within(15, lambda: descriptors(service.pid) <= before + 2)

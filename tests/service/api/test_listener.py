from __future__ import annotations

import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from perception_reward.service.api.listener import MOST_CONNECTIONS, bounds
from perception_reward.service.settings import load

OPEN_FILES = 384


@pytest.fixture
def limit() -> Iterator[Callable[[int], None]]:
    """Sets the soft limit of open files for one test."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda soft: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_of_open_files_is_raised(limit: Callable[[int], None]):
    limit(256)
    bound = bounds(load())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == hard
    assert bound.most <= MOST_CONNECTIONS
    assert bound.most < hard


def test_a_trainer_of_a_thousand_connections_fits_behind_one_address():
    bound = bounds(load())
    if bound.descriptors < 4096:
        pytest.skip("this machine allows few descriptors")
    assert bound.most_per_address > 64 * 16


def test_settings_bound_connections():
    bound = bounds(load(max_connections=100))
    assert (bound.most, bound.most_per_address) == (100, 75)
    assert bounds(load(max_connections=100, max_connections_per_address=10)).most_per_address == 10


def test_a_judge_over_http_has_descriptors_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    alone = bounds(load(workers=1)).most
    assert alone - bounds(load(workers=1, judge="openai:http://a,http://b#m")).most == 2 * 64
    assert bounds(load(workers=512, judge="openai:http://a,http://b#m")).most == 512


def connection(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=15)


def test_whoever_comes_is_served_however_many_are_silent(start_process: Callable[..., Any]):
    service = start_process("--workers", "1", open_files=OPEN_FILES)
    assert "few connections can be open at once" in "".join(service.lines)
    with ExitStack() as stack:
        for _ in range(2 * OPEN_FILES):
            stack.enter_context(closing(connection(service.url)))
        assert httpx.get(f"{service.url}/livez", timeout=10).status_code == 200
        answer = httpx.post(f"{service.url}/v1/score", json={"items": [{"response": "x"}]}, timeout=10)
        assert answer.status_code == 200
    assert [entry for entry in service.log if entry["level"] == "error"] == []


def test_where_all_are_served_the_next_is_told(start_process: Callable[..., Any]):
    service = start_process("--workers", "1", "--max-connections", "4", "--max-connections-per-address", "4")
    body = b'{"items": [{"response": "x"}]}'
    head = (
        "POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with ExitStack() as stack:
        busy = [stack.enter_context(closing(connection(service.url))) for _ in range(4)]
        for one in busy:
            one.sendall(head.encode())
            # Now its header is read: one that is not yet is sent away to make room.
            assert one.recv(65536).startswith(b"HTTP/1.1 100 ")
            one.sendall(body[:1])
        answer = stack.enter_context(closing(connection(service.url))).recv(65536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1" in answer
        assert b"application/problem+json" in answer
        for one in busy:
            one.sendall(body[1:])
            assert one.recv(12) == b"HTTP/1.1 200"


def test_a_thousand_callers_at_once_are_all_answered(start_process: Callable[..., Any]):
    service = start_process("--workers", "1")
    answered: list[bool] = []

    def caller() -> None:
        with ExitStack() as stack:
            mine = [stack.enter_context(closing(connection(service.url))) for _ in range(16)]
            for _ in range(2):
                for one in mine:
                    one.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answered.extend(whole(one) for one in mine)

    threads = [threading.Thread(target=caller) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answered == [True] * 64 * 16 * 2


def whole(connection: socket.socket) -> bool:
    answer = b""
    while not answer.endswith(b"}") and (part := connection.recv(65536)):
        answer += part
    return answer.startswith(b"HTTP/1.1 200 ")

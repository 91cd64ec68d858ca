"""Redis killed, hung and restarted under a load: the cache may go, no answer may."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest
import redis

FACT = {"id": "f", "text": "Segment AB has length 5.", "kind": "length"}
# A hung Redis costs one operation's deadline (0.25 s); the rest is for a busy machine.
SLOWEST = 3.0


class Load:
    """Threads that score new and repeated items until told to stop, and hold every answer to the truth."""

    def __init__(self, url: str, threads: int = 4) -> None:
        self._url = url
        self._numbers = count()
        self._over = threading.Event()
        self._answered = threading.Semaphore(0)
        self.seconds: list[float] = []
        self._pool = ThreadPoolExecutor(threads)
        self._clients = [self._pool.submit(self._client) for _ in range(threads)]

    def _client(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30) as http:
            while not self._over.is_set():
                number = next(self._numbers)
                started = time.monotonic()
                answer = http.post("/v1/score", json=request(number, number - 7))
                self.seconds.append(time.monotonic() - started)
                assert answer.status_code == 200, answer.text
                check(answer.json())
                self._answered.release()

    def answers(self, more: int) -> None:
        """Return once `more` further requests were answered."""
        for _ in range(more):
            assert self._answered.acquire(timeout=15), [
                client.exception(0) for client in self._clients if client.done()
            ]

    def stop(self) -> None:
        self._over.set()
        for client in self._clients:
            client.result(timeout=30)
        self._pool.shutdown()


def request(*numbers: int) -> dict[str, Any]:
    """Per number a response that states the fact, and one that contradicts it."""
    said = [f"Case {number}: AB = {length}" for number in numbers for length in (5, 6)]
    return {"items": [{"response": f"{text}.", "facts": [FACT]} for text in said]}


def check(response: dict[str, Any]) -> None:
    assert [result["status"] for result in response["results"]] == ["ok"] * 4
    assert [result["facts"][0]["verdict"] for result in response["results"]] == ["stated", "contradicted"] * 2


@dataclass(frozen=True)
class Running:
    """A service with a Redis for its cache and another one for its annotations."""

    service: Any
    cache: Any
    annotations: Any


@pytest.fixture(scope="module")
def running(start_shared_redis: Callable[..., Any], start_shared_process: Callable[..., Any]) -> Running:
    cache, annotations = start_shared_redis(), start_shared_redis()
    options = ("--redis-url", cache.url, "--annotations", annotations.url, "--workers", "1")
    return Running(start_shared_process(*options), cache, annotations)


def break_(server: Any, fault: str) -> None:
    server.kill() if fault == "killed" else server.stop()


def mend(server: Any, fault: str) -> None:
    server.restart() if fault == "killed" else server.resume()


@pytest.mark.parametrize("fault", ["killed", "hung"])
def test_a_cache_that_fails_under_load_costs_no_answer_and_little_time(
    running: Running, metric: Callable[..., float], eventually: Callable[..., None], fault: str
):
    url = running.service.url
    load = Load(url)
    try:
        eventually(lambda: metric(url, "redis_up") == 1)
        errors = metric(url, "cache_errors_total")
        load.answers(10)
        break_(running.cache, fault)
        eventually(lambda: metric(url, "redis_up") == 0)
        load.answers(20)
        assert metric(url, "cache_errors_total") > errors
        assert httpx.get(f"{url}/readyz", timeout=15).status_code == 200
        mend(running.cache, fault)
        eventually(lambda: metric(url, "redis_up") == 1)
        load.answers(20)
    finally:
        load.stop()
    assert max(load.seconds) < SLOWEST


@pytest.mark.parametrize("fault", ["killed", "hung"])
def test_annotations_that_cannot_be_read_are_told_apart_from_unknown_ones(running: Running, fault: str):
    with httpx.Client(base_url=running.service.url, timeout=30) as http:
        put(http)
        assert score(http) == ["ok", "ok"]
        break_(running.annotations, fault)
        assert score(http) == ["annotations_unavailable", "ok"]
        with ThreadPoolExecutor() as pool:
            for answer in pool.map(lambda call: http.request(*call[:2], json=call[2]), CALLS):
                assert answer.status_code == 503, answer.request
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["retry-after"]
        assert http.get("/livez").status_code == 200
        assert http.get("/readyz").status_code == 503
        mend(running.annotations, fault)
        put(http)
        assert score(http) == ["ok", "ok"]
        assert http.get("/readyz").status_code == 200


CALLS: Sequence[tuple[str, str, Any]] = (
    ("GET", "/v1/annotations/a", None),
    ("PUT", "/v1/annotations/a", {"id": "a"}),
    ("DELETE", "/v1/annotations/a", None),
    ("GET", "/v1/annotations", None),
)


def put(http: httpx.Client) -> None:
    assert http.put("/v1/annotations/a", json={"id": "a", "facts": [FACT]}).status_code == 200


def score(http: httpx.Client) -> list[str]:
    """Per item its reason, or `ok`: one that names the annotation, and a neighbour that brings its facts."""
    items = [{"annotation_id": "a", "response": "AB = 5"}, {"facts": [FACT], "response": "AB = 5"}]
    answer = http.post("/v1/score", json={"items": items})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert all((result["score"] is None) == (result["status"] == "missing") for result in results)
    return [result["reason"] or result["status"] for result in results]


def test_what_was_judged_after_a_restart_is_found_by_the_next_process(
    running: Running, start_process: Callable[..., Any], metric: Callable[..., float], eventually: Callable[..., None]
):
    running.cache.restart()
    new = count(1_000_000)
    # The connections that the restart broke have to be noticed: that takes requests with something to look up.
    eventually(lambda: post(running.service.url, next(new), next(new)) and dbsize(running.cache.url) > 0)
    last = next(new), next(new)
    before = post(running.service.url, *last)
    running.service.stop()
    successor = start_process("--redis-url", running.cache.url, "--workers", "1")
    after = post(successor.url, *last)
    assert after["results"] == before["results"]
    assert after["summary"]["cache_hits"] == 4
    assert metric(successor.url, "cache_hits_total", tier="redis") == 4


def dbsize(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return client.dbsize()


def post(url: str, *numbers: int) -> dict[str, Any]:
    answer = httpx.post(f"{url}/v1/score", json=request(*numbers), timeout=30)
    assert answer.status_code == 200
    check(answer.json())
    return answer.json()

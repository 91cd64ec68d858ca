"""Answers that hang or eat memory, and workers that are killed: the guilty item pays, its neighbours do not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import Any

import httpx
import psutil
import pytest

WORKERS = 4
TIME_LIMIT = 1.0
# Expanding a power of a sum takes minutes, and a large binomial takes longer: what costs too much is wrong.
HANGING = [f"(x+y+z)^{{{n}}}" for n in range(996, 1000)] + [
    f"\\binom{{99999999}}{{{n}}}" for n in range(4999996, 5000000)
]
# What is answered at once today, and must never take longer than the limit: towers, factorials, sums, nesting.
MONSTROUS = [
    "9^{9^{9^9}}",
    "\\frac{1}{9^{9^{9^9}}}",
    "((((9!)!)!)!)!",
    "\\sum_{n=1}^{99999999} n^{99}",
    "\\int_0^1 x^{x^{x}} dx",
    "(x+1)^{100000}",
    "(" * 900 + "1" + ")" * 900,
    "\\sqrt{" * 300 + "2" + "}" * 300,
]


@pytest.fixture(scope="module")
def service(start_shared_process: Callable[..., Any]) -> Any:
    return start_shared_process(
        *("--workers", str(WORKERS), "--accuracy-time-limit", str(TIME_LIMIT), "--worker-memory-mb", "512")
    )


def answering(answer: str, reference: str = "13") -> dict[str, Any]:
    return {"response": f"<think>\n\n</think>\n<answer>\n\\boxed{{{answer}}}\n</answer>", "answer": reference}


def sums(start: int, total: int) -> list[dict[str, Any]]:
    """Right answers that take algebra to grade, no two the same."""
    return [
        answering(f"\\frac{{{n}}}{{7}}+\\sqrt{{2}}", f"\\sqrt{{2}}+\\frac{{{n}}}{{7}}")
        for n in range(start, start + total)
    ]


def post(url: str, items: list[dict[str, Any]], profile: str = "perception-r1") -> list[dict[str, Any]]:
    answer = httpx.post(f"{url}/v1/score", json={"items": items, "profile": profile}, timeout=60)
    assert answer.status_code == 200
    return answer.json()["results"]


def test_answers_that_cost_too_much_are_wrong_at_once_and_their_neighbours_right(
    service: Any, metric: Callable[..., float]
):
    # Rollouts of a group share answers, the good ones and those that a policy found to hang the grader.
    hostile, good = [answering(answer) for answer in HANGING], sums(0, 56)
    items = [hostile[n // 8 % len(hostile)] if n % 8 == 0 else good[n % len(good)] for n in range(512)]
    before = computed(service.pid)
    results = post(service.url, items)
    seconds = computed(service.pid) - before
    assert {result["reason"] for result in results} == {None}
    assert [result["components"]["accuracy"] for result in results] == [float(n % 8 != 0) for n in range(512)]
    # Not one of them computes for its limit.
    assert seconds < len(HANGING) * TIME_LIMIT + 5
    assert metric(service.url, "worker_restarts_total") == 0


def test_monstrous_answers_are_wrong_or_missing_and_harm_nobody(service: Any):
    *monstrous, neighbour = post(service.url, [*map(answering, MONSTROUS), *sums(1000, 1)])
    assert all(result["components"]["accuracy"] in (0.0, None) for result in monstrous)
    assert {result["reason"] for result in monstrous} <= {None, "accuracy_timeout"}
    assert neighbour["components"]["accuracy"] == 1.0


def test_an_answer_that_eats_memory_ends_its_worker_and_not_the_service(service: Any):
    # Without the default grader's guard, a factorial of a factorial takes a gigabyte in a second.
    bomb = {"response": "<think></think><answer>\\boxed{(((9!)!)!)!}</answer>", "answer": "12.5"}
    good = {"response": "<think></think><answer>\\boxed{12.5}</answer>", "answer": "12.5"}
    result, neighbour = post(service.url, [bomb, good], profile="perception-r1-parity")
    assert result["components"]["accuracy"] in (0.0, None)
    assert (result["score"] is None) == (result["reason"] == "accuracy_timeout")
    assert neighbour["components"]["accuracy"] == 1.0


def test_workers_killed_from_outside_lose_nothing(service: Any, eventually: Callable[..., None]):
    fresh = count(10_000, 64)
    with ThreadPoolExecutor() as pool:
        posts = [pool.submit(post, service.url, sums(next(fresh), 64)) for _ in range(8)]
        killed = {worker.pid for worker in workers(service.pid)}
        for pid in killed:
            psutil.Process(pid).kill()
        results = [result for future in posts for result in future.result()]
    assert [result["components"]["accuracy"] for result in results] == [1.0] * 512
    eventually(lambda: len({worker.pid for worker in workers(service.pid)} - killed) == WORKERS)


def test_the_process_that_workers_come_from_may_be_killed(service: Any, eventually: Callable[..., None]):
    (fork_server,) = psutil.Process(service.pid).children()
    before = {worker.pid for worker in workers(service.pid)}
    fork_server.kill()
    eventually(lambda: len({worker.pid for worker in workers(service.pid)} - before) == WORKERS)
    assert post(service.url, sums(20_000, 8))[-1]["components"]["accuracy"] == 1.0


def computed(service: int) -> float:
    """Seconds that the service's workers have computed, those that have ended included."""
    (fork_server,) = psutil.Process(service).children()
    times = [fork_server.cpu_times(), *(worker.cpu_times() for worker in fork_server.children())]
    return sum(each.user + each.system for each in times) + times[0].children_user + times[0].children_system


def workers(service: int) -> list[psutil.Process]:
    """The service's grandchildren: its child is the process that they are forked from."""
    found: list[psutil.Process] = []
    for fork_server in psutil.Process(service).children():
        # It may end between being listed and being asked.
        with suppress(psutil.NoSuchProcess):
            found += fork_server.children()
    return found

"""Keys and passwords stay inside: not in the log, the metrics or an answer, and least of all when things fail."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")

API_KEY, JUDGE_KEY, REDIS_PASSWORD = "secret-of-the-api", "secret-of-the-judge", "secret-of-redis"
SECRETS = (API_KEY, JUDGE_KEY, REDIS_PASSWORD)
FACT = {"id": "f", "text": "Segment AB has length 5."}


@dataclass(frozen=True)
class Running:
    """A service with a key, a judge with a key, and a Redis with a password for cache and annotations."""

    service: Any
    judge: Any
    redis: Any


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    start_judge: Callable[[], Awaitable[Any]],
    start_shared_redis: Callable[..., Any],
    start_shared_process: Callable[..., Any],
    tokenizer_folder: Path,
) -> AsyncIterator[Running]:
    judge, redis = await start_judge(), start_shared_redis(REDIS_PASSWORD)
    settings = {
        "api_key": API_KEY,
        "judge": f"openai:{judge.url}#m",
        "judge_method": "paper",
        "judge_tokenizer": str(tokenizer_folder),
        "judge_api_key": JUDGE_KEY,
        "redis_url": redis.url,
        "annotations": redis.url,
        "log_level": "debug",
        "workers": "1",
    }
    yield Running(start_shared_process(environment=settings), judge, redis)


async def everything_said(running: Running, tag: str) -> str:
    """All that a caller can get out of the service, with and without the key, headers included."""
    item = {"response": f"AB = 5 {tag}", "facts": [FACT]}
    calls = [
        *(
            ("GET", path, {})
            for path in ("/v1/judge", "/readyz", "/livez", "/metrics", "/v1/profiles", "/openapi.json")
        ),
        *(
            ("GET", path, {})
            for path in ("/v1/annotations", "/v1/annotations/a", "/v1/annotations?cursor=x", "/nowhere")
        ),
        ("PUT", "/v1/annotations/a", {"json": {"id": "a", "facts": [FACT]}}),
        ("POST", "/v1/annotations:batch", {"content": b"{"}),
        ("DELETE", "/v1/annotations/none", {}),
        ("POST", "/v1/score", {"json": {"items": [item, {"response": "x", "annotation_id": "a"}]}}),
        ("POST", "/v1/score/stream", {"json": {"items": [item]}}),
        ("POST", "/v1/score", {"json": {"items": "none", "profile": 3}}),
        ("POST", "/v1/score", {"content": b"{"}),
    ]
    said: list[str] = []
    for headers in ({"Authorization": f"Bearer {API_KEY}"}, {"Authorization": f"Basic {API_KEY}"}, {}):
        async with httpx.AsyncClient(base_url=running.service.url, headers=headers, timeout=30) as http:
            for method, path, arguments in calls:
                answer = await http.request(method, path, **arguments)
                assert answer.status_code != 500, (method, path, answer.text)
                said.append(f"{answer.headers} {answer.text}")
    return "\n".join(said)


def nothing_given_away(running: Running, said: str) -> None:
    log = "".join(running.service.lines)
    assert [secret for secret in SECRETS if secret in said] == []
    assert [secret for secret in SECRETS if secret in log] == []


async def test_no_secret_is_told_while_all_is_well(running: Running):
    said = await everything_said(running, "well")
    assert '"status":"ok"' in said.replace(" ", "")
    assert {headers["Authorization"] for headers in running.judge.headers} == {f"Bearer {JUDGE_KEY}"}
    nothing_given_away(running, said)


async def test_no_secret_is_told_when_a_judge_repeats_the_key_it_was_sent(running: Running):
    running.judge.reply = running.judge.says(f'{{"error": {{"message": "no such key: {JUDGE_KEY}"}}}}', 401)
    said = await everything_said(running, "refused")
    assert "judge_unavailable" in said
    nothing_given_away(running, said)


async def test_no_secret_is_told_while_judge_and_redis_are_down(running: Running):
    await running.judge.kill()
    running.redis.kill()
    said = await everything_said(running, "down")
    assert "judge_unavailable" in said
    assert "503" in said
    nothing_given_away(running, said)


@pytest.mark.parametrize(
    "wrong",
    [
        {"redis_url": f"redis://:{REDIS_PASSWORD}@127.0.0.1:no-port/0"},
        {"annotations": f"redis://:{REDIS_PASSWORD}@127.0.0.1:no-port/0"},
        {"judge": f"openai:ftp://user:{JUDGE_KEY}@127.0.0.1#m"},
        {"judge": f"openai:http://user:{JUDGE_KEY}@127.0.0.1:no-port#m"},
        {"judge": f"openai:http://user:{JUDGE_KEY}@127.0.0.1#m", "judge_api_key": JUDGE_KEY, "judge_method": "paper"},
        {"host": "0.0.0.0", "redis_url": f"redis://:{REDIS_PASSWORD}@127.0.0.1"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_a_setting_that_is_refused_is_not_repeated(wrong: dict[str, str]):
    environment = {f"PERCEPTION_REWARD_{name.upper()}": value for name, value in wrong.items()}
    command = [sys.executable, "-m", "perception_reward.service.cli", "serve"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)  # noqa: ASYNC221
    assert ended.returncode == 2
    assert [secret for secret in SECRETS if secret in ended.stdout + ended.stderr] == []
    assert "Traceback" not in ended.stderr

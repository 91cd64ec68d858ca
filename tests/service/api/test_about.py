from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
import psutil

from perception_reward.service.api.about import readiness
from perception_reward.service.audit.probes import Observation, probe
from perception_reward.service.audit.report import build_report
from perception_reward.service.judges.base import JudgeInfo, Verdict
from perception_reward.trainer_client.wire import Fact

FACT = Fact(id="f1", text="Segment AB has length 5.", kind="length")


def write_report(file: Path, fingerprint: str) -> None:
    observations = [
        Observation(probe("generated", "plain", FACT, response, right, problem=right), Verdict(right, likely))
        for response, right, likely in (("AB = 5", "stated", 0.9), ("AC = 5", "absent", 0.1))
    ]
    info = JudgeInfo("scripted", None, "script", fingerprint)
    created = datetime(2026, 1, 2, tzinfo=timezone.utc)
    file.write_text(build_report(observations, info=info, seed=0, created=created, resamples=20).model_dump_json())


async def about(serve: Callable[..., Any], **settings: object) -> tuple[Any, str]:
    """The answers of `/v1/judge` and `/metrics`."""
    here = await serve(**settings)
    async with httpx.AsyncClient(base_url=here.url) as client:
        judge, metrics = await client.get("/v1/judge"), await client.get("/metrics")
    assert (judge.status_code, metrics.status_code) == (200, 200)
    return judge.json()["last_audit"], metrics.text


async def test_a_judge_that_was_not_audited_says_null(serve: Callable[..., Any], tmp_path: Path):
    assert (await about(serve))[0] is None
    audit, metrics = await about(serve, audit=str(tmp_path / "later.json"))
    assert audit is None
    assert "perception_reward_audit" not in metrics


async def test_the_last_audit_is_shown_with_the_judge(serve: Callable[..., Any], tmp_path: Path):
    file = tmp_path / "audit.json"
    write_report(file, "scripted/1")
    audit, metrics = await about(serve, audit=str(file))
    assert (audit["verdict"], audit["stale"], audit["source"]) == ("fair", False, "generated")
    assert audit["auc"]["value"] == 1.0
    assert audit["accuracy"]["total"] == 2
    assert audit["created"].startswith("2026-01-02")
    assert audit["attack_success"] is None
    assert "perception_reward_audit_auc 1.0" in metrics
    assert "perception_reward_audit_stale 0.0" in metrics
    assert "perception_reward_audit_attack_success" not in metrics


async def test_the_audit_of_another_judge_is_called_stale(serve: Callable[..., Any], tmp_path: Path):
    file = tmp_path / "audit.json"
    write_report(file, "scripted/0")
    audit, metrics = await about(serve, audit=str(file))
    assert audit["stale"]
    assert audit["fingerprint"] == "scripted/0"
    assert "perception_reward_audit_stale 1.0" in metrics


async def test_a_cache_that_is_down_is_shown_by_a_service_that_is_ready(
    serve: Callable[..., Any], start_redis: Callable[..., Any]
):
    server = start_redis()
    here = await serve(redis_url=server.url)
    async with httpx.AsyncClient(base_url=here.url) as client:
        assert (await client.get("/readyz")).json()["checks"]["cache"] == "ok"
    server.kill()
    other = await serve(redis_url=server.url)
    async with httpx.AsyncClient(base_url=other.url) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["cache"] == "down (connection)"


async def test_a_service_whose_workers_cannot_be_started_lives_and_is_not_ready(serve: Callable[..., Any]):
    others = set(psutil.Process().children())
    here = await serve()
    (fork_server,) = set(psutil.Process().children()) - others
    async with httpx.AsyncClient(base_url=here.url) as client:
        assert (await client.get("/readyz")).json()["checks"]["workers"] == "1 alive"
        assert "perception_reward_workers_alive 1.0" in (await client.get("/metrics")).text
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            os.kill(fork_server.pid, signal.SIGKILL)
            async with asyncio.timeout(30):
                while here.service.pool.outage is None:  # noqa: ASYNC110 - it gives no sign
                    await asyncio.sleep(0.02)
            report = await readiness(here.service)
            assert (await client.get("/livez")).status_code == 200
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert not report.ready
        assert report.checks["workers"].startswith("failed: a worker did not start")
        async with asyncio.timeout(30):
            while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - it gives no sign
                await asyncio.sleep(0.05)

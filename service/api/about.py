"""`/v1/judge`, `/v1/profiles`, the probes and the metrics: what the service says about itself."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from perception_reward.service.api.deps import ServiceDep
from perception_reward.service.api.problems import documented
from perception_reward.service.audit.last import AuditSummary
from perception_reward.service.metrics import CONTENT_TYPE
from perception_reward.service.profiles.model import Profile

router = APIRouter(tags=["about"])


class JudgeHealth(BaseModel):
    """Whether the judge can answer now."""

    ok: bool
    detail: str


class JudgeReport(BaseModel):
    """Who decides about facts."""

    name: str
    model: str | None
    method: str
    fingerprint: str = Field(description="Changes with everything that can change a verdict.")
    health: JudgeHealth
    last_audit: AuditSummary | None = Field(description="What the judge's last audit found; null without one.")


class Profiles(BaseModel):
    """The loaded profiles, and which one is used when a request names none."""

    default: str
    profiles: list[Profile]


class Readiness(BaseModel):
    """Whether the service should be sent requests, and what each check says."""

    ready: bool
    checks: dict[str, str]


@router.get("/v1/judge", responses=documented(401, 503))
async def judge(service: ServiceDep) -> JudgeReport:
    """The judge, its fingerprint and its health."""
    info, health = service.judge.info, await service.judge.health()
    return JudgeReport(
        name=info.name,
        model=info.model,
        method=info.method,
        fingerprint=info.fingerprint,
        health=JudgeHealth(ok=health.ok, detail=health.detail),
        last_audit=service.last_audit,
    )


@router.get("/v1/profiles", responses=documented(401, 503))
async def profiles(service: ServiceDep) -> Profiles:
    """How components become one score."""
    return Profiles(default=service.settings.profile, profiles=list(service.profiles.values()))


@router.get("/livez", tags=["probes"])
async def livez() -> dict[str, bool]:
    """The event loop turns."""
    return {"live": True}


@router.get("/readyz", tags=["probes"], responses={503: {"model": Readiness}})
async def readyz(service: ServiceDep, response: Response) -> Readiness:
    """Annotations are loaded, the judge can be reached, workers live. A Redis cache that is down changes nothing."""
    report = await readiness(service)
    response.status_code = 200 if report.ready else 503
    return report


async def readiness(service: ServiceDep) -> Readiness:
    judge, store = await asyncio.gather(service.judge.health(), service.store_health())
    checks = {
        "annotations": store.detail if store.ok else f"failed: {store.detail}",
        "judge": judge.detail or "ok" if judge.ok else f"failed: {judge.detail}",
        "cache": service.cache.health,
        "workers": f"failed: {service.pool.outage}" if service.pool.outage else f"{service.pool.living} alive",
        "draining": str(service.admission.draining).lower(),
    }
    ready = judge.ok and store.ok and service.pool.outage is None and not service.admission.draining
    return Readiness(ready=ready, checks=checks)


@router.get("/metrics", tags=["probes"], response_class=Response, responses=documented(401, 503))
async def metrics(service: ServiceDep) -> Response:
    """Prometheus metrics."""
    service.gauge()
    return Response(service.metrics.exposition(), media_type=CONTENT_TYPE)

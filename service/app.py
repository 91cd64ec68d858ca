"""The app: `make_app(service)` puts the HTTP API around a service that was assembled elsewhere.

POST   /v1/score                  score items
POST   /v1/score/stream           the same, one line per result as it is ready
GET    /v1/annotations            a page of annotations
PUT|GET|DELETE /v1/annotations/ID one annotation
POST   /v1/annotations:batch      JSON lines in, a count and per-line errors out
GET    /v1/judge                  model, method, fingerprint, health
GET    /v1/profiles               how components become one score
POST   /openrlhf                  OpenRLHF's remote reward model
POST   /slime                     slime's remote reward
POST   /verify                    NeMo Gym's verification
GET    /livez, /readyz, /metrics, /docs
"""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI

from perception_reward.service.api import about, annotations, docs, problems, score
from perception_reward.service.api.heartbeat import Heartbeat
from perception_reward.service.api.intake import Intake
from perception_reward.service.api.key_check import KeyCheck
from perception_reward.service.api.memory import Memory
from perception_reward.service.api.middleware import BodyLimit, Telemetry
from perception_reward.service.api.origin import OriginCheck
from perception_reward.service.api.trainers import nemo_gym, openrlhf, slime
from perception_reward.service.assembly import Service


def make_app(service: Service) -> FastAPI:
    """The ASGI app of `service`, which the caller starts and closes: `async with service.running()`."""
    app = FastAPI(
        title="perception-reward",
        version=version("perception-reward"),
        description="How well did a vision-language model's response perceive the image?",
        docs_url=None,
        redoc_url=None,
        responses=problems.documented(431),  # said of the connection, before any path is known
    )
    app.state.service = service
    for router in (
        score.router,
        annotations.batch_router,
        annotations.router,
        openrlhf.router,
        slime.router,
        nemo_gym.router,
        about.router,
        docs.router,
    ):
        app.include_router(router)
    problems.install(app)
    settings = service.settings
    # The last one added is the outermost: below what gives signs of life, requests are counted first, then checked for
    # where they come from and for a key, then measured, then unpacked.
    limit = settings.max_body_mb << 20
    memory = Memory(settings.max_buffered_mb << 20, service.metrics)
    app.add_middleware(Intake, limit=limit, memory=memory, metrics=service.metrics)
    app.add_middleware(BodyLimit, limit=limit, seconds=settings.request_timeout, metrics=service.metrics)
    app.add_middleware(KeyCheck, keyring=service.keyring, metrics=service.metrics, open_metrics=settings.open_metrics)
    app.add_middleware(
        OriginCheck, trusted=settings.trusted_hosts, metrics=service.metrics, keyed=bool(service.keyring)
    )
    app.add_middleware(Telemetry, metrics=service.metrics, admission=service.admission)
    app.add_middleware(Heartbeat)
    return app

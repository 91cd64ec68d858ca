"""Reviewing facts in a browser on this machine: one page, and what it asks for.

    GET  /                          the page
    GET  /problems/{n}              question, images and trajectories of a problem
    GET  /problems/{n}/images/{m}   one of its images
    GET  /figures                   what the decisions come to
    POST /decisions                 one decision; it is on disk when the answer comes

It belongs to one person and is served on loopback. What pages of other sites send is refused as the service refuses it
(`origin.py`), and only JSON is taken, which no form can send."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from perception_reward.annotations.decisions import Decision, Decisions, Key
from perception_reward.annotations.faults import RecordFileError, first_fault
from perception_reward.service.api.origin import OriginCheck
from perception_reward.service.api.problems import problem as problem_answer
from perception_reward.service.metrics import Metrics
from perception_reward.service.report.review import ImageRefused, Review, policy
from perception_reward.service.report.reviewed import review_figures

# A decision: two texts of 2,000 characters, each of them written as \uXXXX twice over, and two ids.
LARGEST = 100_000
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def make_review_app(review: Review, decisions: Decisions, reviewer: str) -> ASGIApp:
    """The app in which `reviewer` decides; `decisions` may hold those of others too."""
    texts = {item.key: item.fact.text for item in review.items}
    lock = threading.Lock()

    def all_decisions() -> dict[str, Mapping[Key, Decision]]:
        with lock:
            decisions.refresh()
            return {name: dict(decisions.of(name)) for name in decisions.reviewers}

    def page(_: Request) -> Response:
        found = review.page(served=True, reviewer=reviewer, decisions=all_decisions().get(reviewer))
        content = found.encode("utf-8", "replace")
        return HTMLResponse(content, headers={**HEADERS, "Content-Security-Policy": policy(served=True)})

    def problem(request: Request) -> Response:
        return _json(review.problem(_place(request, "place", review.problems)))

    def image(request: Request) -> Response:
        place = _place(request, "place", review.problems)
        try:
            kind, content = review.image(place, request.path_params["at"])
        except (ImageRefused, IndexError) as error:
            raise HTTPException(404, f"there is no such image: {error}") from None
        sandbox = {"Content-Security-Policy": "default-src 'none'; sandbox"}
        return Response(content, media_type=kind, headers={**HEADERS, **sandbox})

    def figures(_: Request) -> Response:
        return _json(review_figures(review.items, all_decisions()).model_dump())

    async def decide(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415, "a decision is JSON: Content-Type: application/json")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                raise HTTPException(413, "this is longer than any decision")
        decision = _decision(bytes(body), reviewer)
        if texts.get(decision.key) != decision.text:
            raise HTTPException(409, "this fact is not under review in these words; reload the page")
        await run_in_threadpool(put, decision)
        return _json({"saved": True})

    def put(decision: Decision) -> None:
        try:
            with lock:
                decisions.put(decision)
        except OSError as error:
            raise HTTPException(507, f"{error.filename}: {error.strerror}") from None

    routes = [
        Route("/", page),
        Route("/problems/{place:int}", problem),
        Route("/problems/{place:int}/images/{at:int}", image),
        Route("/figures", figures),
        Route("/decisions", decide, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refused, RecordFileError: _broken})
    return OriginCheck(app, (), Metrics(), keyed=False)


def _place(request: Request, name: str, count: int) -> int:
    place: int = request.path_params[name]
    if place >= count:
        raise HTTPException(404, "there is no such problem")
    return place


def _decision(body: bytes, reviewer: str) -> Decision:
    time = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        said: Any = from_json(body)
        return Decision.model_validate({**said, "reviewer": reviewer, "time": time})
    except ValidationError as error:
        raise HTTPException(422, ": ".join(first_fault(error))) from None
    except (ValueError, TypeError) as error:
        raise HTTPException(422, f"this is no decision: {error}") from None


def _json(content: Any) -> Response:
    return JSONResponse(content, headers=HEADERS)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem_answer(error.status_code, error.detail)


async def _broken(_: Request, error: Exception) -> Response:
    return problem_answer(500, str(error))

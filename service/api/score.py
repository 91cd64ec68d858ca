"""`POST /v1/score` and `POST /v1/score/stream`, and the way of every request that is scored: `scored`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractContextManager, aclosing
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from perception_reward.service.api.body import ScoringRoute
from perception_reward.service.api.deps import DeadlineDep, service_of
from perception_reward.service.api.disconnect import unless_gone, until_gone
from perception_reward.service.api.dumped import dumped
from perception_reward.service.api.key_check import admitted
from perception_reward.service.api.memory import FACT_BYTES, ITEM_BYTES, share_of
from perception_reward.service.api.problems import InvalidRequest, documented
from perception_reward.service.assembly import Service
from perception_reward.service.scoring.responses import response_text
from perception_reward.service.scoring.scorer import room
from perception_reward.trainer_client.wire import (
    ScoreItem,
    ScoreRequest,
    ScoreResponse,
    StreamedResult,
    StreamedSummary,
    Summary,
)

logger = logging.getLogger(__name__)

# What is left of a request's time when the scorer has to be done, to write the answer in.
WRITING_SHARE, WRITING_MOST = 0.1, 1.0

# Seconds that a stream gets at least: where a request's time is over at once, its items are missing, and that is told.
STREAM_LEAST = 5.0
# Characters of a response in the log, where its setting asks for them.
MOST_LOGGED = 2000

# Characters of one response, the most that `max_response_chars` may be. Reading as many takes a tenth of a second.
MOST_CHARACTERS = 4_000_000

EXAMPLE = ScoreRequest.model_validate(
    {
        "profile": "perception-r1",
        "items": [
            {
                "id": "rollout-0",
                "facts": [
                    {"id": "f1", "text": "Segment AB has length 5.", "kind": "length"},
                    {"id": "f2", "text": "Angle ABC is a right angle.", "kind": "right_angle"},
                ],
                "response": "<think>\nAB = 5 and there is a right angle at B, so AC = 13.\n</think>\n"
                "<answer>\n\\boxed{13}\n</answer>",
                "answer": "13",
            }
        ],
    }
).model_dump(mode="json", exclude_none=True, exclude_defaults=True)

PROBLEMS = documented(400, 401, 403, 408, 413, 415, 422, 429, 503, 504)


class ScoreBody(ScoreRequest):
    """Items to score."""

    # Wire models are built when first used, for the clients' sake; a server builds them before it is asked.
    model_config = ConfigDict(defer_build=False, title="ScoreRequest")


router = APIRouter(tags=["score"], route_class=ScoringRoute)
BodyDep = Annotated[ScoreBody, Body(openapi_examples={"geometry": {"summary": "One rollout", "value": EXAMPLE}})]


@router.post("/v1/score", response_model=ScoreResponse, responses=PROBLEMS)
async def score(request: Request, body: BodyDep, deadline: DeadlineDep) -> Response:
    """Score responses against facts. Results keep the order of the items; one bad item never fails its neighbours."""
    response = await scored(request, body, deadline, service_of(request).scorer.score)
    return Response(await dumped(response, "results"), media_type="application/json")


Score: TypeAlias = Callable[[ScoreRequest, float], Coroutine[Any, Any, ScoreResponse]]


async def scored(request: Request, body: ScoreRequest, deadline: float, score: Score) -> ScoreResponse:
    """`score` the body within its limits: admitted, on time, and for as long as its client is there.

    Raises what `problems` answers: `InvalidRequest`, `Overloaded`, `ClientGone`, and 504 where the time is over.
    """
    service = service_of(request)
    _check(request, body, service)
    with admitted(request, service.admission, service.metrics, len(body.items)):
        try:
            async with asyncio.timeout_at(deadline):
                response = await unless_gone(request, score(body, _scored_by(deadline)))
        except TimeoutError:
            raise HTTPException(504, "the request's time was over before every item was scored") from None
    _log(request, body, response.summary)
    _log_responses(body, service)
    if service.rollout_log is not None:
        service.rollout_log.add(body, enumerate(response.results))
    return response


@router.post(
    "/v1/score/stream",
    response_class=StreamingResponse,
    responses={**PROBLEMS, 200: {"model": StreamedResult, "content": {"application/x-ndjson": {}}}},
)
async def stream(request: Request, body: BodyDep, deadline: DeadlineDep) -> Response:
    """The same, one JSON line per result as soon as it is ready, then a line with the summary."""
    service = service_of(request)
    _check(request, body, service)
    lines = _lines(request, body, service, _scored_by(deadline))
    places = admitted(request, service.admission, service.metrics, len(body.items))
    return AdmittedStream(lines, places, deadline)


class AdmittedStream(StreamingResponse):
    """A stream of JSON lines that holds its places from its first line to its last, or until its time is over.

    That is at `deadline`, but not before `STREAM_LEAST`. A reader that has stalled until then is cut off, and so is a
    request whose stored facts have no room: the status is long sent, and the missing end is all there is to tell by.
    """

    def __init__(self, lines: AsyncGenerator[bytes], places: AbstractContextManager[None], deadline: float) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self._lines = lines
        self._deadline = deadline
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._places:
            end = max(self._deadline, asyncio.get_running_loop().time() + STREAM_LEAST)
            try:
                async with asyncio.timeout_at(end), aclosing(self._lines):
                    await super().__call__(scope, receive, send)
            except TimeoutError:
                logger.warning("a stream was cut: its reader was too slow for the request's time")
            except HTTPException as error:
                logger.warning("a stream was cut: %s", error.detail)


async def _lines(request: Request, body: ScoreRequest, service: Service, deadline: float) -> AsyncGenerator[bytes]:
    async with aclosing(until_gone(request, service.scorer.stream(body, deadline))) as results:
        async for index, result in results:
            if isinstance(result, Summary):
                _log(request, body, result)
                _log_responses(body, service)
                line = StreamedSummary(
                    profile=service.scorer.profile(body.profile).name,
                    judge=service.judge.info.fingerprint,
                    summary=result,
                )
            else:
                line = StreamedResult(index=index, result=result)
                if service.rollout_log is not None:
                    service.rollout_log.add(body, [(index, result)])
            yield line.model_dump_json().encode() + b"\n"


def _scored_by(deadline: float) -> float:
    left = deadline - asyncio.get_running_loop().time()
    return deadline - min(WRITING_SHARE * left, WRITING_MOST)


def _check(request: Request, body: ScoreRequest, service: Service) -> None:
    """The limits that are settings, and so no part of the wire models; and memory for what scoring makes of it."""
    settings = service.settings
    service.scorer.profile(body.profile)
    if len(body.items) > settings.max_items:
        raise InvalidRequest("items", f"{len(body.items)} items; at most {settings.max_items} in one request")
    for index, item in enumerate(body.items):
        if (length := _length(item)) > MOST_CHARACTERS:
            raise InvalidRequest(
                f"items[{index}].response", f"{length} characters; at most {MOST_CHARACTERS} of one response"
            )
        if item.facts is not None and len(item.facts) > settings.max_facts:
            raise InvalidRequest(
                f"items[{index}].facts", f"{len(item.facts)} facts; at most {settings.max_facts} of one item"
            )
    facts = sum(len(item.facts) for item in body.items if item.facts is not None)
    share = share_of(request)
    room.set(lambda items, facts: share.make(items * ITEM_BYTES + facts * FACT_BYTES))
    room.get()(len(body.items), facts)


def _length(item: ScoreItem) -> int:
    """Characters of the response. Parts are joined only where there are any."""
    return len(item.response) if isinstance(item.response, str) else len(response_text(item.response))


def _log(request: Request, body: ScoreRequest, summary: Summary) -> None:
    """What the request's log line says besides its route and status: counts and labels, never a response."""
    request.state.log = {
        "items": summary.items,
        "missing": summary.missing,
        **{f"missing_{reason}": count for reason, count in summary.reasons.items()},
        "without_facts": summary.without_facts,
        "without_answer": summary.without_answer,
        "facts": summary.facts,
        "cache_hits": summary.cache_hits,
        "judged": summary.judged,
        **({"run": body.run} if body.run is not None else {}),
        **({"step": body.step} if body.step is not None else {}),
    }


def _log_responses(body: ScoreRequest, service: Service) -> None:
    if not service.settings.log_responses or not logger.isEnabledFor(logging.DEBUG):
        return
    for index, item in enumerate(body.items):
        said = response_text(item.response)[:MOST_LOGGED]
        logger.debug("response", extra={"index": index, "id": item.id, "run": body.run, "text": said})

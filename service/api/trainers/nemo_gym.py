"""`POST /verify`: a resources server of NeMo Gym, as far as verifying goes.

Gym sends a row of its data set, with what the policy wrote as `response` in the form of OpenAI's Responses, and wants
all of it back with a `reward`. What to score against stands in the row's `verifier_metadata`, in the row itself, or in
`responses_create_params.metadata`: `annotation_id`, `answer` (or `expected_answer`), `choices`, `facts`.

A missing score is told as Gym tells a failed judge: the row goes to the failures, out of every average, and
`mask_sample` keeps it out of the loss. Its `reward` has to be a number, and is 0 there only beside both flags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from perception_reward.service.api.body import ScoringRoute
from perception_reward.service.api.deps import DeadlineDep, service_of
from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.api.score import PROBLEMS, scored
from perception_reward.service.api.trainers.label import FIELDS, item, known_fields
from perception_reward.service.api.trainers.missing import refuse_missing
from perception_reward.service.api.trainers.options import OnMissing, UrlOptions
from perception_reward.service.api.trainers.patience import PatientScorer
from perception_reward.trainer_client.wire import POLICY_ROLES, TEXT_BLOCKS, ItemResult

router = APIRouter(tags=["trainers"], route_class=ScoringRoute)

EXAMPLE: dict[str, Any] = {
    "responses_create_params": {"input": [{"role": "user", "content": "Find AC."}]},
    "verifier_metadata": {"answer": "13", "facts": [{"id": "f1", "text": "Segment AB has length 5."}]},
    "response": {
        "id": "resp_1",
        "output": [
            {
                "type": "message",
                "role": "assistant",
                "content": [
                    {
                        "type": "output_text",
                        "text": "<think>\nAB = 5.\n</think>\n<answer>\n\\boxed{13}\n</answer>",
                        "annotations": [],
                    }
                ],
            }
        ],
    },
}


class VerifyRequest(BaseModel):
    """A row of a data set and the policy's response to it. Other fields of the row come back as they are."""

    model_config = ConfigDict(extra="allow", frozen=True)

    responses_create_params: dict[str, Any]
    response: dict[str, Any]
    verifier_metadata: dict[str, Any] | None = None


class GymOptions(UrlOptions):
    """Options in the URL."""

    on_missing: OnMissing = Field(
        default="native",
        description="`native`: the row is flagged as one whose judge failed, and masked. `raise`: 503, which ends "
        "the rollout. `zero`: the number 0, with no flag.",
    )


class Verified(BaseModel):
    """The request, and what was found out."""

    model_config = ConfigDict(extra="allow")

    reward: float
    reward_components: dict[str, float] = Field(description="The components that apply, which are fields as well.")


@router.post("/verify", response_model=Verified, responses=PROBLEMS)
async def verify(
    request: Request,
    body: Annotated[VerifyRequest, Body(openapi_examples={"geometry": {"value": EXAMPLE}})],
    options: Annotated[GymOptions, Query()],
    deadline: DeadlineDep,
) -> Response:
    """Score one rollout as a resources server of NeMo Gym."""
    one = item(said(body.response), _fields(body), "verifier_metadata")
    response = await scored(request, options.request([one]), deadline, PatientScorer(service_of(request).scorer).score)
    refuse_missing(response.results, options.on_missing, ["verifier_metadata.annotation_id"])
    (result,) = response.results
    reply = {**body.model_dump(exclude_unset=True), **_verdict(result, options.on_missing)}
    return Response(json.dumps(reply), media_type="application/json")


def said(response: Mapping[str, Any]) -> dict[str, str]:
    """The item's `response`: the policy's messages, and its reasoning back in the tags that a parser took away; then
    `prefix` is empty, since the whole thought is there."""
    output = response.get("output")
    if not isinstance(output, list):
        raise InvalidRequest("response.output", "should be a list of output items, as OpenAI's Responses have it")
    entries = cast("list[object]", output)
    text = "\n".join(text for entry in entries for text in _texts(entry))
    parsed = any(_thought(entry) for entry in entries)
    return {"response": text, "prefix": ""} if parsed else {"response": text}


def _thought(entry: object) -> str:
    if not isinstance(entry, dict):
        return ""
    parts = cast("dict[str, object]", entry)
    reasoning = parts.get("type") == "reasoning"
    return "".join([*_blocks(parts.get("content")), *_blocks(parts.get("summary"))]) if reasoning else ""


def _texts(entry: object) -> Iterator[str]:
    if not isinstance(entry, dict):
        return
    parts = cast("dict[str, object]", entry)
    if parts.get("type") == "reasoning":
        if thought := _thought(parts):
            yield f"<think>{thought}</think>"
    elif parts.get("type", "message") == "message" and parts.get("role") in POLICY_ROLES:
        yield from _blocks(parts.get("content"))


def _blocks(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    blocks = cast("list[object]", content) if isinstance(content, list) else []
    return [text for block in blocks if (text := _words(block)) is not None]


def _words(block: object) -> str | None:
    if not isinstance(block, dict):
        return None
    parts = cast("dict[str, object]", block)
    text = parts.get("text")
    spoken = parts.get("type") in TEXT_BLOCKS or parts.get("type") in ("reasoning_text", "summary_text")
    return text if spoken and isinstance(text, str) else None


def _fields(body: VerifyRequest) -> dict[str, Any]:
    asked = body.responses_create_params.get("metadata")
    asked = cast("dict[str, Any]", asked) if isinstance(asked, dict) else {}
    found: dict[str, Any] = {}
    for place in (asked, body.model_extra or {}, body.verifier_metadata or {}):
        found |= {name: place[name] for name in FIELDS if place.get(name) is not None}
        if place.get("answer") is None and place.get("expected_answer") is not None:
            found["answer"] = place["expected_answer"]
    return known_fields(found, "verifier_metadata")


def _verdict(result: ItemResult, on_missing: OnMissing) -> dict[str, Any]:
    components = {name: value for name, value in result.components.items() if value is not None}
    if result.score is not None:
        return {**components, "reward": result.score, "reward_components": components}
    flags = {"mask_sample": True, "_ng_failure_class": "judge_failed", "_ng_failure_judge_error": result.reason}
    return {**components, "reward": 0.0, "reward_components": components, **(flags if on_missing == "native" else {})}

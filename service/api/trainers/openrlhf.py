"""`POST /openrlhf`: the remote reward model of OpenRLHF, `--reward.remote_url http://any:KEY@HOST:8420/openrlhf`.

OpenRLHF (0.9 to 0.11) sends `query`, prompt and response decoded in one piece with all special tokens, beside
`prompts` and `labels`, and reads `rewards`, `scores` (dynamic filtering averages them) and `extra_logs`, which have
to have the same keys on every sample. It tries five times, a second apart, and then goes on without a reward, which
ends the run: so a missing score is 503, after this side has waited for what may come back.

With `--algo.dynamic_filtering_enable` it has a way out, and `?on_missing=native` takes it: a score of NaN is outside
every range, so the prompt is dropped with its whole group and another one takes its place.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from perception_reward.service.api.body import ScoringRoute
from perception_reward.service.api.deps import DeadlineDep, service_of
from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.api.score import PROBLEMS, scored
from perception_reward.service.api.trainers.label import fields_of, item
from perception_reward.service.api.trainers.missing import number, numbers, refuse_missing
from perception_reward.service.api.trainers.options import OnMissing, RaisingOptionsDep
from perception_reward.service.api.trainers.patience import PatientScorer
from perception_reward.service.pace import Pace
from perception_reward.trainer_client.trainers.completions import said
from perception_reward.trainer_client.trainers.decoded import NotSeparable, response_after
from perception_reward.trainer_client.wire import ItemResult, ScoreItem

router = APIRouter(tags=["trainers"], route_class=ScoringRoute)

EXAMPLE = {
    "query": [
        "<|im_start|>user\n<|vision_start|><|image_pad|><|image_pad|><|vision_end|>Find AC.<|im_end|>\n"
        "<|im_start|>assistant\n<think>\nAB = 5.\n</think>\n<answer>\n\\boxed{13}\n</answer><|im_end|>"
    ],
    "prompts": [
        "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Find AC.<|im_end|>\n<|im_start|>assistant\n"
    ],
    "labels": ['{"answer": "13", "facts": [{"id": "f1", "text": "Segment AB has length 5."}]}'],
}


class RewardRequest(BaseModel):
    """What OpenRLHF sends: three lists of one length, empty where it has more servers than work."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    query: list[str] = Field(description="Prompt and response, decoded in one piece.")
    prompts: list[str] = Field(description="The prompts alone, by which responses are told from them.")
    labels: list[Any] = Field(description="The answer, or JSON with `annotation_id` and `answer`.")


class Rewards(BaseModel):
    """What OpenRLHF reads."""

    rewards: list[float] = Field(description="The scores; NaN where missing and so asked for.")
    scores: list[float] = Field(description="Accuracy where there is a reference answer, else the score.")
    extra_logs: dict[str, list[float]] = Field(description="Every component; NaN where it does not apply.")


@router.post("/openrlhf", response_model=Rewards, responses=PROBLEMS)
async def openrlhf(
    request: Request,
    body: Annotated[RewardRequest, Body(openapi_examples={"geometry": {"value": EXAMPLE}})],
    options: RaisingOptionsDep,
    deadline: DeadlineDep,
) -> Response:
    """Score as OpenRLHF's remote reward model."""
    items = await _items(body)
    if not items:
        return _reply([], options.on_missing)
    patient = PatientScorer(service_of(request).scorer)
    response = await scored(request, options.request(items), deadline, patient.score)
    refuse_missing(response.results, options.on_missing, [f"labels[{place}]" for place in range(len(items))])
    return _reply(response.results, options.on_missing)


async def _items(body: RewardRequest) -> list[ScoreItem]:
    if not len(body.query) == len(body.prompts) == len(body.labels):
        lengths = f"{len(body.query)}, {len(body.prompts)} and {len(body.labels)}"
        raise InvalidRequest("query", f"query, prompts and labels are lists of one length, and here of {lengths}")
    items: list[ScoreItem] = []
    pace = Pace()
    for place in range(len(body.query)):
        items.append(_item(body, place))
        await pace.keep()
    return items


def _item(body: RewardRequest, place: int) -> ScoreItem:
    prompt = body.prompts[place]
    try:
        response = response_after(prompt, body.query[place])
    except NotSeparable as error:
        raise InvalidRequest(f"query[{place}]", str(error)) from None
    at = f"labels[{place}]"
    return item(said(response, prompt), fields_of(body.labels[place], at), at)


def _reply(results: list[ItemResult], on_missing: OnMissing) -> Response:
    components = [numbers(result.components) for result in results]
    rewards = [number(result, on_missing) for result in results]
    reply = {
        "rewards": rewards,
        "scores": [_filtered_by(result, reward) for result, reward in zip(results, rewards, strict=True)],
        "extra_logs": {name: [one[name] for one in components] for name in (components[0] if components else ())},
    }
    # NaN, where it is asked for, is not in JSON; it is in what Python's json, OpenRLHF's reader, takes for it.
    return Response(json.dumps(reply), media_type="application/json")


def _filtered_by(result: ItemResult, reward: float) -> float:
    """What dynamic filtering goes by: whether prompts are too easy or too hard is told by accuracy, from 0 to 1."""
    accuracy = result.components.get("accuracy")
    return reward if result.score is None or accuracy is None else accuracy

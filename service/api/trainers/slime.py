"""`POST /slime`: the remote reward of slime, `--rm-type remote_rm --rm-url http://any:KEY@HOST:8420/slime`.

slime sends one sample, its `prompt`, `response` and `label`, and takes what comes back as the sample's reward: a
number, or an object of which `--reward-key` picks one number. `?reply=components` gives the object, with `score` for
that key. It tries ten times over some minutes, and then the run ends: so a missing score is 503.

With `--dynamic-sampling-filter-path slime.rollout.filter_hub.dynamic_sampling_filters.check_reward_nonzero_std` it
has a way out, and `?on_missing=native` takes it: a group with a reward of NaN has no standard deviation, and is
dropped.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from perception_reward.service.api.body import ScoringRoute
from perception_reward.service.api.deps import DeadlineDep, service_of
from perception_reward.service.api.score import PROBLEMS, scored
from perception_reward.service.api.trainers.label import fields_of, item
from perception_reward.service.api.trainers.missing import number, numbers, refuse_missing
from perception_reward.service.api.trainers.options import RaisingOptions
from perception_reward.service.api.trainers.patience import PatientScorer
from perception_reward.trainer_client.trainers.completions import said

router = APIRouter(tags=["trainers"], route_class=ScoringRoute)

EXAMPLE = {
    "prompt": "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Find AC.<|im_end|>\n",
    "response": "<think>\nAB = 5.\n</think>\n<answer>\n\\boxed{13}\n</answer><|im_end|>",
    "label": '{"answer": "13", "facts": [{"id": "f1", "text": "Segment AB has length 5."}]}',
}


class Sample(BaseModel):
    """What slime sends of a sample."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    response: str
    prompt: Any = Field(
        default=None, description="Text, of which the end is looked at, or messages, which tell nothing."
    )
    label: Any = Field(description="The answer, or JSON with `annotation_id` and `answer`.")


class SlimeOptions(RaisingOptions):
    """Options in slime's URL."""

    reply: Literal["number", "components"] = Field(
        default="number", description="`components`: an object, for `--reward-key score`."
    )


class Parts(BaseModel):
    """A reward with its components; NaN where one does not apply."""

    score: float
    format: float
    accuracy: float
    perception: float
    repetition: float


@router.post("/slime", response_model=float | Parts, responses=PROBLEMS)
async def slime(
    request: Request,
    body: Annotated[Sample, Body(openapi_examples={"geometry": {"value": EXAMPLE}})],
    options: Annotated[SlimeOptions, Query()],
    deadline: DeadlineDep,
) -> Response:
    """Score one sample as slime's remote reward."""
    one = item(said(body.response, body.prompt), fields_of(body.label, "label"), "label")
    response = await scored(request, options.request([one]), deadline, PatientScorer(service_of(request).scorer).score)
    refuse_missing(response.results, options.on_missing, ["label"])
    (result,) = response.results
    score = number(result, options.on_missing)
    reply = score if options.reply == "number" else {"score": score, **numbers(result.components)}
    # NaN, where it is asked for, is not in JSON; it is in what Python's json, slime's reader, takes for it.
    return Response(json.dumps(reply), media_type="application/json")

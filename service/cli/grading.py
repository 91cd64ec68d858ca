"""What the annotation pipeline is handed of the service: a grader, and a judge without a model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from perception_reward.annotations.pipeline.filtering import Attempt
from perception_reward.service.assembly import Service
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.service.rewards.accuracy import GRADER_VERSION
from perception_reward.service.rewards.answer import extract_answer
from perception_reward.trainer_client.wire import Fact, ScoreItem, ScoreRequest

# Seconds for one batch.
PATIENCE = 600.0


class AccuracyReward:
    """Grades as the service does: the same answer blocks, options, numbers, units and time limits."""

    version = f"accuracy-{GRADER_VERSION}"

    def __init__(self, service: Service) -> None:
        self._scorer = service.scorer

    def answer_of(self, response: str) -> str | None:
        return extract_answer(response)

    async def grade(self, attempts: Sequence[Attempt]) -> list[bool | None]:
        items = [ScoreItem(response=one.response, answer=one.answer, choices=one.choices) for one in attempts]
        deadline = asyncio.get_running_loop().time() + PATIENCE
        response = await self._scorer.score(ScoreRequest(profile=PROFILE, items=items), deadline)
        grades = (result.components["accuracy"] for result in response.results)
        return [None if grade is None else grade == 1.0 for grade in grades]


def heard(text: str, statement: str) -> bool:
    """Whether the symbolic judge takes `statement` for said by `text`."""
    [verdict] = decide_all(text, (Fact(id="f", text=statement),))
    return verdict.label == "stated"


# Which profile weighs the components does not matter, but that one grades as usual.
PROFILE = "perception-r1"

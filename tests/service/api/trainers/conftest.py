from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from perception_reward.service.api.trainers import patience
from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Verdict

KEY = "s3cret-key"
RESPONSE = "<think>\nAB = 5 and the angle ABC is 90 degrees, so AC = 13.\n</think>\n<answer>\n\\boxed{13}\n</answer>"


@pytest.fixture
def response() -> str:
    return RESPONSE


@pytest.fixture
def label() -> str:
    """What the data set says of the problem whose annotation is stored, as JSON in a string."""
    return json.dumps({"annotation_id": "triangle/1"})


@pytest.fixture
def flaky_judge(scripted_judge: Callable[..., Any]) -> Callable[[float], Any]:
    """`flaky_judge(n)`: a judge that cannot be reached the first n times, and then finds everything stated."""

    def make(failures: float = math.inf) -> Any:
        asked = 0

        def decide(task: JudgeTask) -> list[Outcome]:
            nonlocal asked
            asked += 1
            return [Missing("judge_unavailable") if asked <= failures else Verdict("stated", 1.0) for _ in task.facts]

        return scripted_judge(decide)

    return make


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> float:
    """The seconds of a request that are too few to wait for a judge: what is missing is told at once."""
    monkeypatch.setattr(patience, "FIRST", 2 * patience.LONGEST)
    return patience.LONGEST / 2

"""verifiers: a reward for rubrics, and for the tasks of its newer interface.

    rubric = vf.Rubric(funcs=[perception_reward])                  # verifiers.legacy, or `verifiers` before 0.3

    class FigureTask(vf.Task[FigureData]):                         # verifiers.v1
        @vf.reward
        async def perception(self, trace: vf.Trace) -> float:
            return await score_reply(trace.last_reply, self.data)

A row's `info` (or the task's data) holds `annotation_id`; its `answer` is the reference answer. A missing score raises
`MissingScore`: verifiers logs the failed reward, or the failed rollout, by its own rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perception_reward.trainer_client.trainers.columns import client_of
from perception_reward.trainer_client.trainers.completions import text_of
from perception_reward.trainer_client.trainers.problems import NAMES, no_problem, problem_of
from perception_reward.trainer_client.trainers.scores import lone_score


async def perception_reward(
    completion: Any, answer: str = "", info: Mapping[str, Any] | None = None, **_: Any
) -> float:
    """The score of one completion, for `vf.Rubric`."""
    return await _score(completion, {"answer": answer, "metadata": dict(info or {})})


async def score_reply(reply: Any, data: Any) -> float:
    """The score of a reply to the task whose `data` has `annotation_id` or `facts`, and perhaps `answer`."""
    return await _score(reply, {name: getattr(data, name, None) for name in NAMES})


async def _score(completion: Any, row: Mapping[str, Any]) -> float:
    problem = problem_of(row)
    if not problem:
        raise no_problem("the task", row)
    client = client_of()
    result = await client.score_one({**problem, "response": text_of(completion)})
    return lone_score(result, client.options.on_missing)

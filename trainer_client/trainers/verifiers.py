"""verifiers: a reward for tasks, and for the rubrics of its older interface.

    class FigureTask(vf.Task[FigureData]):                         # verifiers.v1
        @vf.reward
        async def perception(self, trace: vf.Trace) -> float:
            return await score_reply(trace.assistant_messages[-1:], self.data)

    rubric = vf.Rubric(funcs=[perception_rewards])                 # verifiers.legacy in 0.3, `verifiers` before

The task's data, or a row's `info`, holds `annotation_id`; its `answer` is the reference answer. In a task a missing
score raises `MissingScore`: the rollout is recorded as one whose scoring failed, without a reward. A rubric turns every
error into a reward of 0, and so it scores a whole group: what is missing gets the mean of the group's others. Where
all are, they are alike, and teach nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perception_reward.trainer_client.trainers.columns import client_of
from perception_reward.trainer_client.trainers.completions import text_of
from perception_reward.trainer_client.trainers.problems import NAMES, Fields, group_of, no_problem, problem_of
from perception_reward.trainer_client.trainers.scores import group_scores, lone_score


async def perception_rewards(
    completions: Sequence[Any], answers: Sequence[str], infos: Sequence[Mapping[str, Any] | None]
) -> list[float]:
    """The scores of a group's completions, for `vf.Rubric`."""
    rows = [{"answer": answer, "metadata": dict(info or {})} for answer, info in zip(answers, infos, strict=True)]
    items = [_item(completion, row) for completion, row in zip(completions, rows, strict=True)]
    client = client_of()
    results = await client.score(items)
    return group_scores(results, [group_of(item) for item in items], client.options.on_missing)


async def score_reply(reply: Any, data: Any) -> float:
    """The score of a reply to the task whose `data` has `annotation_id` or `facts`, and perhaps `answer`.

    reply: text, or messages, whose reasoning counts.
    """
    client = client_of()
    result = await client.score_one(_item(reply, {name: getattr(data, name, None) for name in NAMES}))
    return lone_score(result, client.options.on_missing)


def _item(completion: Any, row: Mapping[str, Any]) -> Fields:
    problem = problem_of(row)
    if not problem:
        raise no_problem("the task", row)
    return {**problem, "response": text_of(completion)}

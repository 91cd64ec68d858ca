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

from perception_reward.trainer_client.client import RewardClient
from perception_reward.trainer_client.errors import RewardError
from perception_reward.trainer_client.trainers.columns import client_of
from perception_reward.trainer_client.trainers.problems import Fields, group_of, items_of
from perception_reward.trainer_client.trainers.scores import group_scores, lone_score


async def perception_rewards(
    completions: Sequence[Any], answers: Sequence[str], infos: Sequence[Mapping[str, Any] | None]
) -> list[float]:
    """The scores of a group's completions, for `vf.Rubric`."""
    rows = [{"answer": answer, "metadata": dict(info or {})} for answer, info in zip(answers, infos, strict=True)]
    client = client_of()
    items = await _items(client, rows, completions)
    results = await client.score(items)
    return group_scores(results, [group_of(item) for item in items], client.options.on_missing)


async def score_reply(reply: Any, data: Any) -> float:
    """The score of a reply to the task whose `data` has `annotation_id` or `facts`, and perhaps `answer`.

    reply: text, or messages, whose reasoning counts.
    """
    client = client_of()
    (item,) = await _items(client, [{**vars(data), **(getattr(data, "model_extra", None) or {})}], [reply])
    result = await client.score_one(item)
    return lone_score(result, client.options.on_missing)


async def _items(client: RewardClient, rows: Sequence[Mapping[str, Any]], completions: Sequence[Any]) -> list[Fields]:
    """The items, from a service that can be used. verifiers goes on after every error, with a reward of 0 in rubrics:
    what no later rollout will mend ends the program."""
    try:
        await client.check()
        return items_of(client.facts, rows, completions)
    except RewardError as error:
        raise SystemExit(f"perception_reward: {error}") from error

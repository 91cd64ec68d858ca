"""AReaL: a reward function for its workflows, and in `areal_workflow` the workflows with it, which are the better way.

    workflow = VisionRLVRWorkflow(reward_fn="perception_reward.trainer_client.trainers.areal.reward_fn", …)

AReaL calls `reward_fn` in worker processes, one sample at a time in each, and takes a call that lasts longer than 15 s
(its default) for a reward of 0: the client gives up after 12 s here unless `PERCEPTION_REWARD_TIMEOUT` says otherwise,
and raises `MissingScore`. AReaL tries three times more, and then drops the sample with its group. Those 15 s hold the
wait for a free process too: with more samples at once than its pool answers in that time, a reward of 0 for a late
answer can still happen. The workflows of `areal_workflow` have no such limit.

The data set's columns reach it as keywords: `annotation_id` and `answer`. A thought that the prompt's template opened
is seen in the prompt.
"""

from __future__ import annotations

import os
from typing import Any

from perception_reward.trainer_client.client import RewardClient
from perception_reward.trainer_client.options import variable
from perception_reward.trainer_client.trainers.columns import client_of
from perception_reward.trainer_client.trainers.problems import Fields, items_of
from perception_reward.trainer_client.trainers.scores import lone_score

# Seconds: less than what AReaL turns into a reward of 0.
PATIENCE = 12.0


def reward_fn(prompt: str, completions: str, prompt_ids: Any, completion_ids: Any, **columns: Any) -> float:
    """The score of one completion, which AReaL decodes with its special tokens."""
    client = client_of() if os.environ.get(variable("timeout")) else client_of(timeout=PATIENCE)
    client.check_sync()
    result = client.score_one_sync(_item(client, prompt, completions, columns))
    return lone_score(result, client.options.on_missing)


async def reward(prompt: str, completions: str, prompt_ids: Any, completion_ids: Any, **columns: Any) -> float:
    """`reward_fn` for callers that can wait: with the client's usual time limit."""
    client = client_of()
    result = await client.score_one(_item(client, prompt, completions, columns))
    return lone_score(result, client.options.on_missing)


def _item(client: RewardClient, prompt: str, completion: str, columns: dict[str, Any]) -> Fields:
    return items_of(client.facts, [columns], [completion], [prompt])[0]

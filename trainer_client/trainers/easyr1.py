"""EasyR1: a batch reward function. The one line:

    worker.reward.reward_function=$(perception-reward path easyr1):compute_score

Options of `RewardClient` come from `PERCEPTION_REWARD_*` variables, or as
`worker.reward.reward_function_kwargs='{"base_url":"http://rewards:8420"}'`.

EasyR1 hands over the response and the ground truth, no other column and no prompt (where its template opens a thought,
set `PERCEPTION_REWARD_PREFIX='<think>'`): the ground truth (`data.answer_key`) holds JSON
with `annotation_id`, and `answer` where it is not the annotation's. `perception-reward dataset easyr1` writes it so.

A missing score becomes the mean of the group's others: EasyR1 has no word for it. Responses with the same ground truth
are a group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perception_reward.trainer_client.trainers.columns import client_with, columns_of
from perception_reward.trainer_client.trainers.problems import items_of, truth_rows
from perception_reward.trainer_client.trainers.scores import group_scores
from perception_reward.trainer_client.trainers.start import check_if_loaded_by

# Read by EasyR1 from the file.
REWARD_NAME = "perception_reward"
REWARD_TYPE = "batch"

# The module is loaded when the reward's actor is made; EasyR1's package is called verl.
check_if_loaded_by("verl", takes_options=True)


def compute_score(reward_inputs: Sequence[Mapping[str, Any]], **options: Any) -> list[dict[str, float]]:
    """For each input `{"response", "response_length", "ground_truth"}` the reward as `overall`, and its components.

    A component that does not apply is NaN. options: those of `RewardClient`.
    """
    client = client_with(options)
    client.check_sync()
    rows = truth_rows(one["ground_truth"] for one in reward_inputs)
    items = items_of(client.facts, rows, [one["response"] for one in reward_inputs])
    results = client.score_sync(items)
    groups = [str(one["ground_truth"]) for one in reward_inputs]
    scores = group_scores(results, groups, client.options.on_missing)
    return [
        {"overall": score, **_accuracy_named(columns_of(result))} for result, score in zip(results, scores, strict=True)
    ]


def _accuracy_named(columns: dict[str, float]) -> dict[str, float]:
    """EasyR1's trainers log `accuracy`."""
    return {"accuracy" if name == "acc" else name: value for name, value in columns.items()}

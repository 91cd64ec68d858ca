"""verl: a reward function. The one line, and what it is for:

    reward.custom_reward_function.path=pkg://perception_reward.trainer_client.trainers.verl

verl 0.9 and later: `compute_score` (the default name), awaited once per sample while others are still generated, so
that scoring overlaps generation. Samples that arrive together travel together. Options of `RewardClient` come from
`PERCEPTION_REWARD_*` variables or as `+reward.custom_reward_function.reward_kwargs.base_url=http://rewards:8420`.
To log the step and the group with the service, take the reward manager in `verl_manager` instead. It also sees the
prompt; here, where a template opens a thought in it, set `PERCEPTION_REWARD_PREFIX='<think>'`.

Older releases (no `reward.` in front, and a file in place of `pkg://`):

    custom_reward_function.path=$(perception-reward path verl) custom_reward_function.name=compute_score_batch
    reward_model.reward_manager=batch

The data set needs `annotation_id` in `extra_info`, or a ground truth that is JSON with it; the reference answer is the
ground truth, else the annotation's.

A missing score: `compute_score` raises `MissingScore`, and verl drops that sample (0.9, its default trainer).
`compute_score_batch` sees the whole batch, and gives the mean of the group's others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perception_reward.trainer_client.trainers.columns import client_with, columns_of
from perception_reward.trainer_client.trainers.problems import group_of, items_of
from perception_reward.trainer_client.trainers.scores import group_scores, lone_score
from perception_reward.trainer_client.trainers.start import check_if_loaded_by
from perception_reward.trainer_client.wire import ItemResult

# verl loads this before anything is generated, and its reward loop calls nothing of it until then.
check_if_loaded_by("verl", takes_options=True)


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    reward_router_address: str | None = None,
    reward_model_tokenizer: Any = None,
    **options: Any,
) -> dict[str, float]:
    """`{"score": …, "acc": …, "format": …, "perception": …, "repetition": …, "missing": …}` of one response.

    options: those of `RewardClient`. Raises `MissingScore` where there is no score and the policy has no number for it.
    """
    client = client_with(options)
    await client.check()
    (item,) = items_of(client.facts, [_row(ground_truth, extra_info)], [solution_str])
    result = await client.score_one(item)
    return scored(result, lone_score(result, client.options.on_missing))


def compute_score_batch(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[Any],
    extra_infos: Sequence[Mapping[str, Any] | None],
    **options: Any,
) -> list[dict[str, float]]:
    """`compute_score` for a whole batch, for verl's manager `batch`. Responses to one problem are a group."""
    client = client_with(options)
    client.check_sync()
    rows = [_row(truth, extra) for truth, extra in zip(ground_truths, extra_infos, strict=True)]
    items = items_of(client.facts, rows, solution_strs)
    results = client.score_sync(items)
    groups = [group_of(item) for item in items]
    scores = group_scores(results, groups, client.options.on_missing)
    return [scored(result, score) for result, score in zip(results, scores, strict=True)]


def _row(ground_truth: Any, extra_info: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"ground_truth": ground_truth, "extra_info": extra_info}


def scored(result: ItemResult, score: float) -> dict[str, float]:
    return {"score": score, **columns_of(result)}

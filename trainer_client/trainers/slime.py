"""slime: a custom reward and its filter. The lines:

    --custom-rm-path perception_reward.trainer_client.trainers.slime.custom_rm
    --dynamic-sampling-filter-path perception_reward.trainer_client.trainers.slime.keep_scored
    --reward-key score                       # to have the components beside it, in the samples and the logs

`--rm-type remote_rm --rm-url http://any:KEY@HOST:8420/slime` needs nothing installed beside slime. This form takes
the problem from the sample's metadata as well as from its label, batches, and has the client's failover and its limit
of missing scores.

A missing score is NaN where a dynamic sampling filter is set: slime's own and `keep_scored` drop such a group and
draw another. With `--group-rm` and without a filter it is the mean of the group's others; else `MissingScore`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import pstdev
from typing import Any, cast

from perception_reward.trainer_client.client import RewardClient
from perception_reward.trainer_client.missing import resolve
from perception_reward.trainer_client.options import Policy
from perception_reward.trainer_client.trainers.columns import client_of, columns_of
from perception_reward.trainer_client.trainers.problems import Fields, items_of
from perception_reward.trainer_client.trainers.scores import alone
from perception_reward.trainer_client.trainers.start import check_if_loaded_by
from perception_reward.trainer_client.wire import ItemResult

# Below this, all rewards of a group are equal and teach nothing.
LEAST_SPREAD = 1e-6

# Loaded before the rollouts where it is the filter, else with the first response.
check_if_loaded_by("slime", takes_options=False)


async def custom_rm(args: Any, sample: Any, **_: Any) -> Any:
    """The reward of one sample, or a list of rewards for a list of samples; with `--reward-key`, objects that hold
    `score` and the components."""
    client = client_of()
    asked = client.options.on_missing
    filtered = asked == "native" and getattr(args, "dynamic_sampling_filter_path", None)
    await client.check()
    if not isinstance(sample, list):
        (item,) = _items(client, [sample])
        (reward,) = _rewards(args, [await client.score_one(item)], "native" if filtered else alone(asked))
        return reward
    results = await client.score(_items(client, cast("list[Any]", sample)))
    return _rewards(args, results, "group_mean" if asked == "native" and not filtered else asked)


def keep_scored(args: Any, samples: Sequence[Any], **_: Any) -> bool:
    """Whether a group is worth training on: every score is known, and they are not all equal."""
    rewards = [float(sample.get_reward_value(args)) for sample in samples]
    return all(math.isfinite(reward) for reward in rewards) and pstdev(rewards) > LEAST_SPREAD


def _items(client: RewardClient, samples: Sequence[Any]) -> list[Fields]:
    rows = [{"metadata": sample.metadata, "label": sample.label} for sample in samples]
    prompts = [getattr(sample, "prompt", None) for sample in samples]
    items = items_of(client.facts, rows, [sample.response for sample in samples], prompts)
    groups = [getattr(sample, "group_index", None) for sample in samples]
    return [{"group": None if group is None else str(group), **item} for group, item in zip(groups, items, strict=True)]


def _rewards(args: Any, results: Sequence[ItemResult], policy: Policy) -> list[Any]:
    """As slime reads them."""
    rewards = [math.nan if score is None else score for score in resolve(results, policy=policy)]
    if not getattr(args, "reward_key", None):
        return rewards
    return [{"score": reward, **columns_of(result)} for reward, result in zip(rewards, results, strict=True)]

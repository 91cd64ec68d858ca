"""ROLL: a reward worker for its RLVR pipelines. In the configuration:

    rewards:
      perception:
        worker_cls: perception_reward.trainer_client.trainers.roll.PerceptionRewardWorker
        model_args:
          model_name_or_path: ${reward_pretrain}
        tag_included: [geometry3k]
        world_size: 1

Its tokenizer is the policy's, with which it sees a thought that the prompt's template opened, and one worker serves
many prompts at once. The data set's `ground_truth` is the answer, or JSON with `annotation_id` and `answer`. ROLL hands
over the responses to a prompt together, each with a call of its own under `is_num_return_sequences_expand`. A missing
score becomes the mean of the others in the call. A call without any is an error, which ends ROLL's run: give the
service time with `PERCEPTION_REWARD_TIMEOUT`, or go on with `PERCEPTION_REWARD_ON_MISSING=group_mean`, which then gives
several responses one value; a lone one has no mean. `scores`, which ROLL validates by, are accuracies here.
"""

# The trainer's packages are not where this is checked.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import torch
from roll.distributed.executor.worker import Worker
from roll.distributed.scheduler.decorator import Dispatch, register
from roll.distributed.scheduler.protocol import DataProto
from roll.models.model_providers import default_tokenizer_provider

from perception_reward.trainer_client.options import Policy
from perception_reward.trainer_client.trainers.columns import client_of, columns_of
from perception_reward.trainer_client.trainers.problems import items_of, truth_rows
from perception_reward.trainer_client.trainers.scores import alone, group_scores
from perception_reward.trainer_client.wire import ItemResult


class PerceptionRewardWorker(Worker):
    """Scores what it is handed in one request. Being asynchronous, it is called again before it has answered."""

    def __init__(self, worker_config: Any) -> None:
        super().__init__(worker_config=worker_config)
        self.rank_info.dp_rank = self.rank_info.rank
        self.rank_info.dp_size = self.rank_info.world_size
        self.tokenizer = default_tokenizer_provider(model_args=worker_config.model_args)

    @register(dispatch_mode=Dispatch.ONE_TO_ALL)
    def initialize(self, pipeline_config: Any) -> None:
        """Nothing to load: the moment to ask the service whether it can be used, before anything is generated."""
        client_of().check_sync()

    @register(dispatch_mode=Dispatch.DP_MP_COMPUTE, clear_cache=False)
    async def compute_rewards(self, data: Any) -> Any:
        """`response_level_rewards` and `scores`, one value per response; the components' means as metrics."""
        texts = self.tokenizer.batch_decode(data.batch["responses"], skip_special_tokens=True)
        prompts = self.tokenizer.batch_decode(data.batch["prompts"], skip_special_tokens=False)
        truths = data.non_tensor_batch["ground_truth"]
        client = client_of()
        items = items_of(client.facts, truth_rows(truths), texts, prompts)
        results = await client.score(items)
        rewards = group_scores(results, [str(truth) for truth in truths], _policy(results, client.options.on_missing))
        accuracies = [result.components.get("accuracy") for result in results]
        scores = [reward if known is None else known for reward, known in zip(rewards, accuracies, strict=True)]
        tensors = {
            "token_level_rewards": torch.zeros_like(data.batch["responses"], dtype=torch.float16),
            "response_level_rewards": torch.tensor(rewards, dtype=torch.float32),
            "scores": torch.tensor(scores, dtype=torch.float32),
        }
        return DataProto.from_dict(tensors=tensors, meta_info={"metrics": _means(results)})


def _policy(results: Sequence[ItemResult], wanted: Policy) -> Policy:
    """What a call with no score at all is left with: ROLL sets its value beside other prompts' rewards."""
    lost = all(result.score is None for result in results)
    return alone(wanted) if lost and (wanted == "native" or len(results) == 1) else wanted


def _means(results: Sequence[ItemResult]) -> dict[str, float]:
    """The mean of each component that is known of any of them."""
    told = [columns_of(result) for result in results]
    known = {name: [row[name] for row in told if not math.isnan(row[name])] for name in told[0]}
    return {name: fmean(values) for name, values in known.items() if values}

"""ROLL: a reward worker for its RLVR pipeline. In the configuration:

    rewards:
      perception:
        worker_cls: perception_reward.trainer_client.trainers.roll.PerceptionRewardWorker
        tag_included: [geometry3k]

The data set's `ground_truth` is the answer, or JSON with `annotation_id` and `answer`. ROLL hands over one worker's
share of a batch at a time; a missing score becomes the mean of the group's others in it. ROLL filters by `scores`,
which are accuracies here.
"""

# The trainer's packages are not where this is checked.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import math
from typing import Any

import torch
from roll.distributed.executor.worker import Worker
from roll.distributed.scheduler.decorator import Dispatch, register
from roll.distributed.scheduler.protocol import DataProto
from roll.models.model_providers import default_tokenizer_provider

from perception_reward.trainer_client.trainers.columns import client_of
from perception_reward.trainer_client.trainers.decoded import plain
from perception_reward.trainer_client.trainers.problems import item_of
from perception_reward.trainer_client.trainers.scores import group_scores


class PerceptionRewardWorker(Worker):
    """Scores its share of a batch in one call."""

    def __init__(self, worker_config: Any) -> None:
        super().__init__(worker_config=worker_config)
        self.rank_info.dp_rank = self.rank_info.rank
        self.rank_info.dp_size = self.rank_info.world_size
        self.tokenizer = default_tokenizer_provider(model_args=worker_config.model_args)

    @register(dispatch_mode=Dispatch.ONE_TO_ALL)
    def initialize(self, pipeline_config: Any) -> None:
        """Nothing to load."""

    @register(dispatch_mode=Dispatch.DP_MP_COMPUTE, clear_cache=False)
    def compute_rewards(self, data: Any) -> Any:
        """`response_level_rewards` and `scores`, one value per response."""
        texts = self.tokenizer.batch_decode(data.batch["responses"], skip_special_tokens=True)
        truths = data.non_tensor_batch["ground_truth"]
        items = [item_of(plain(text), truth, None) for text, truth in zip(texts, truths, strict=True)]
        client = client_of()
        results = client.score_sync(items)
        rewards = group_scores(results, [str(truth) for truth in truths], client.options.on_missing)
        accuracies = [result.components.accuracy for result in results]
        scores = [reward if known is None else known for reward, known in zip(rewards, accuracies, strict=True)]
        tensors = {
            "token_level_rewards": torch.zeros_like(data.batch["responses"], dtype=torch.float16),
            "response_level_rewards": torch.tensor(rewards, dtype=torch.float32),
            "scores": torch.tensor([math.nan if score is None else score for score in scores], dtype=torch.float32),
        }
        return DataProto.from_dict(tensors=tensors)

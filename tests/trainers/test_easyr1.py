"""EasyR1's own reward manager, loading our file as it loads any, against a real service.

`EASYR1_SOURCE` names a checkout: EasyR1 is not on the package index, and its package is called `verl` like another.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest

pytestmark = [pytest.mark.easyr1, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

SOURCE = os.environ.get("EASYR1_SOURCE")
if not SOURCE:
    pytest.skip("EASYR1_SOURCE names no checkout of EasyR1; run `make test-easyr1`", allow_module_level=True)
sys.path.insert(0, SOURCE)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402
from verl.protocol import DataProto  # noqa: E402
from verl.workers.reward import AutoRewardManager, RewardConfig  # noqa: E402

from perception_reward.trainer_client.trainers.listing import path_of  # noqa: E402

GOOD = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
KNOWN = json.dumps({"annotation_id": "triangle/1", "answer": "13"})
UNKNOWN = json.dumps({"annotation_id": "unknown", "answer": "13"})


def manager_of(url: str, tokenizer: Any) -> Any:
    config = RewardConfig(
        reward_function=f"{path_of('easyr1')}:compute_score", reward_function_kwargs={"base_url": url}
    )
    config.post_init()
    return AutoRewardManager(config, tokenizer)


def test_a_batch_gets_its_rewards_and_the_group_s_mean_where_one_is_missing(served: str, tokenizer_folder: Any) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    tokens = [tokenizer.encode(text, add_special_tokens=False) for text in (GOOD, "No idea.", GOOD)]
    longest = max(map(len, tokens))
    batch = DataProto.from_dict(
        tensors={
            "responses": torch.tensor([ids + [0] * (longest - len(ids)) for ids in tokens]),
            "response_mask": torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in tokens]),
        },
        non_tensors={"ground_truth": np.array([KNOWN, KNOWN, UNKNOWN], dtype=object)},
    )
    rewards, metrics = manager_of(served, tokenizer).compute_reward(batch)
    assert rewards.sum(dim=1).tolist() == [pytest.approx(1.7), 0.0, pytest.approx(0.85)]
    assert rewards[0, len(tokens[0]) - 1] == pytest.approx(1.7)
    assert metrics["perception"][:2] == [1.0, 0.0]
    assert metrics["missing"] == [0.0, 0.0, 1.0]
    assert {len(values) for values in metrics.values()} == {3}

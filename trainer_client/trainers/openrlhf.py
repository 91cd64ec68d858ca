"""OpenRLHF: the Python form of its remote reward. The one line:

    --reward.remote_url $(perception-reward path openrlhf)        # 0.11; before, --remote_rm_url

`--reward.remote_url http://any:KEY@HOST:8420/openrlhf` needs nothing installed beside OpenRLHF and does the same; this
form batches the samples of an engine, which OpenRLHF asks about one by one, and has the client's failover
and its limit of missing scores.

The label (`--data.label_key`) is the answer, or JSON with `annotation_id` and `answer`. A thought that the prompt's
template opened is seen in the prompt.

A missing score: OpenRLHF drops what raises and then fails on the sample without reward, so under `native` a score of
NaN is given where `PERCEPTION_REWARD_DYNAMIC_FILTERING=1` says that dynamic filtering is on: it drops that prompt and
draws another. Without it, `MissingScore` is raised.
"""

# The trainer's packages are not where this is checked.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from perception_reward.trainer_client.missing import resolve
from perception_reward.trainer_client.trainers.columns import client_of, columns_of
from perception_reward.trainer_client.trainers.decoded import response_after
from perception_reward.trainer_client.trainers.problems import items_of, truth_rows
from perception_reward.trainer_client.trainers.scores import alone
from perception_reward.trainer_client.trainers.start import check_if_loaded_by

FILTERING = "PERCEPTION_REWARD_DYNAMIC_FILTERING"

# Each engine loads this file when it is made.
check_if_loaded_by("openrlhf", takes_options=False)


def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any], **_: Any) -> dict[str, Any]:
    """`rewards`, `scores` (accuracy where there is a reference answer: dynamic filtering goes by it) and
    `extra_logs`, as tensors with one value per query."""
    import torch

    client = client_of()
    client.check_sync()
    responses = [response_after(prompt, query) for query, prompt in zip(queries, prompts, strict=True)]
    items = items_of(client.facts, truth_rows(labels), responses, prompts)
    results = [client.score_one_sync(item) for item in items] if len(items) == 1 else client.score_sync(items)
    policy = client.options.on_missing
    filtering = policy == "native" and os.environ.get(FILTERING, "") not in ("", "0")
    scores = resolve(results, policy="native" if filtering else alone(policy))
    rewards = [math.nan if score is None else score for score in scores]
    columns = [columns_of(result) for result in results]
    shown = [
        reward if math.isnan(reward) or math.isnan(told.get("acc", math.nan)) else told["acc"]
        for reward, told in zip(rewards, columns, strict=True)
    ]
    logs = {name: torch.tensor([told[name] for told in columns]) for name in columns[0]} if columns else {}
    return {"rewards": torch.tensor(rewards), "scores": torch.tensor(shown), "extra_logs": logs}

"""SkyRL: an environment of one turn whose reward is the service's. Registered by its name, in the entry point:

    register(id="perception", entry_point="perception_reward.trainer_client.trainers.skyrl:PerceptionEnv")

and `environment.env_class=perception`. The data set's `reward_spec.ground_truth` (or `extra_info`) holds
`annotation_id` and the answer, as `perception-reward dataset verl` writes it. The components are logged as the
environment's metrics. The environment sees messages: where their template opens a thought in the prompt, set
`PERCEPTION_REWARD_PREFIX='<think>'`.

SkyRL steps environments in threads, so that waiting overlaps generation; as many responses are scored at a time as
`environment.skyrl_gym.max_env_workers` says, and `generator.batched=true` scores them one after another. It has no word
for a sample without a reward, and no try again: `MissingScore` ends the run. A long `PERCEPTION_REWARD_TIMEOUT` waits
for a service that comes back.
"""

# The trainer's packages are not where this is checked.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import math
from typing import Any

from skyrl_gym.envs.base_text_env import (
    BaseTextEnv,
    BaseTextEnvStepOutput,
)

from perception_reward.trainer_client.trainers.columns import client_of, columns_of
from perception_reward.trainer_client.trainers.problems import items_of
from perception_reward.trainer_client.trainers.scores import lone_score


class PerceptionEnv(BaseTextEnv):
    """Ends after the first response."""

    def __init__(self, env_config: Any = None, extras: dict[str, Any] | None = None) -> None:
        super().__init__()
        row = extras or {}
        ground_truth = (row.get("reward_spec") or {}).get("ground_truth")
        self._row = {"ground_truth": ground_truth, "extra_info": row.get("extra_info")}
        self._metrics: dict[str, float] = {}
        # Environments are made before their responses are generated.
        client_of().check_sync()

    def step(self, action: str) -> Any:
        """The reward of the response `action`, and its components as metadata."""
        client = client_of()
        (item,) = items_of(client.facts, [self._row], [action])
        result = client.score_one_sync(item)
        score = lone_score(result, client.options.on_missing)
        told = columns_of(result)
        self._metrics = {name: value for name, value in told.items() if not math.isnan(value)}
        return BaseTextEnvStepOutput(observations=[], reward=score, done=True, metadata=told)

    def get_metrics(self) -> dict[str, float]:
        """The components that are known, for means over those episodes that have them."""
        return self._metrics

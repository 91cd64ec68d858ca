"""SkyRL: an environment of one turn whose reward is the service's. Registered by its name, in the entry point:

    register(id="perception", entry_point="perception_reward.trainer_client.trainers.skyrl:PerceptionEnv")

and `environment.env_class=perception`. The data set's `reward_spec.ground_truth` (or `extra_info`) holds
`annotation_id` and the answer, as `perception-reward dataset verl` writes it. SkyRL steps environments in threads, so
that waiting overlaps generation. A missing score raises `MissingScore`.
"""

# The trainer's packages are not where this is checked.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

from typing import Any

from skyrl_gym.envs.base_text_env import (
    BaseTextEnv,
    BaseTextEnvStepOutput,
)

from perception_reward.trainer_client.trainers.columns import client_of, columns_of
from perception_reward.trainer_client.trainers.problems import item_of
from perception_reward.trainer_client.trainers.scores import lone_score


class PerceptionEnv(BaseTextEnv):
    """Ends after the first response."""

    def __init__(self, env_config: Any = None, extras: dict[str, Any] | None = None) -> None:
        super().__init__()
        given = extras or {}
        self._ground_truth = (given.get("reward_spec") or {}).get("ground_truth")
        self._extra_info = given.get("extra_info")

    def step(self, action: str) -> Any:
        """The reward of the response `action`, and its components as metadata."""
        client = client_of()
        result = client.score_one_sync(item_of(action, self._ground_truth, self._extra_info))
        score = lone_score(result, client.options.on_missing)
        return BaseTextEnvStepOutput(observations=[], reward=score, done=True, metadata=columns_of(result))

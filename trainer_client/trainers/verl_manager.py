"""verl 0.9 and later: a reward manager, which sees the sample's group, its step and every column of the data set.

    reward.reward_manager.source=importlib
    reward.reward_manager.name=PerceptionRewardManager
    reward.reward_manager.module.path=pkg://perception_reward.trainer_client.trainers.verl_manager

Options come from `PERCEPTION_REWARD_*` variables, or from `+perception_reward.base_url=…` in the configuration.
A missing score raises `MissingScore`, and verl drops that sample.
"""

# The trainer's packages are not where this is checked.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

from typing import Any

from verl.experimental.reward_loop.reward_manager.base import (
    RewardManagerBase,
)

from perception_reward.trainer_client.client import RewardClient
from perception_reward.trainer_client.trainers.problems import items_of
from perception_reward.trainer_client.trainers.scores import lone_score
from perception_reward.trainer_client.trainers.verl import scored

# Tokens at a prompt's end that hold a turn's header and what a template wrote behind it.
LAST_TOKENS = 64
# Where verl keeps what is the same for all responses to one prompt.
GROUP_COLUMNS: tuple[str, ...] = ("uid", "index")


class PerceptionRewardManager(RewardManagerBase):
    """Scores one sample at a time; samples that arrive together travel together."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, **_: Any) -> None:
        super().__init__(config, tokenizer, compute_score)
        self._tokenizer = tokenizer
        self._client = RewardClient(**dict(config.get("perception_reward") or {}))
        self._client.check_sync()

    async def run_single(self, data: Any) -> dict[str, Any]:
        """`reward_score`, and the components as `reward_extra_info`, of the one sample (the last turn's) in `data`."""
        sample = data[-1:][0]
        columns = sample.non_tensor_batch
        (item,) = items_of(self._client.facts, [columns], [self._response(sample)], [self._prompt(sample)])
        group = next((str(columns[name]) for name in GROUP_COLUMNS if columns.get(name) is not None), None)
        result = await self._client.score_one({"group": group, **item}, step=_step(columns))
        told = scored(result, lone_score(result, self._client.options.on_missing))
        return {"reward_score": told["score"], "reward_extra_info": told}

    def _prompt(self, sample: Any) -> str:
        """The end of the prompt, where a template may have opened a thought."""
        return self._tokenizer.decode(sample.batch["prompts"][-LAST_TOKENS:], skip_special_tokens=False)

    def _response(self, sample: Any) -> str:
        tokens = sample.batch["responses"]
        length = int(sample.batch["attention_mask"][-tokens.shape[-1] :].sum())
        return self._tokenizer.decode(tokens[:length], skip_special_tokens=True)


def _step(columns: Any) -> int | None:
    step = columns.get("global_steps")
    return None if step is None else max(0, int(step))

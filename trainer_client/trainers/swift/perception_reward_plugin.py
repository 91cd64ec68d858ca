"""ms-swift (3.8 or later): a plugin with a reward of both kinds. The lines:

    --external_plugins $(perception-reward path ms-swift) --reward_funcs perception_reward

`perception_reward` awaits and so runs beside other rewards; `perception_reward_sync` is for releases whose GRPO knows
only plain ORMs. Options come from `PERCEPTION_REWARD_*` variables. The data set's columns `annotation_id` and
`solution` (or `answer`) reach the reward as they are. A thought that the template opened is part of the completion in
ms-swift.

A missing score is None where ms-swift leaves it out of the group (`--scale_rewards gdpo`); elsewhere ms-swift would
take None for 0, so that it becomes the mean of the group's others, as far as this process sees the group.
"""

# The trainer's packages are not where this is checked.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

try:
    from swift.rewards.orm import ORM, AsyncORM, orms
except ImportError:
    from swift.plugin.orm import ORM, AsyncORM, orms

from perception_reward.trainer_client.missing import resolve
from perception_reward.trainer_client.options import Policy
from perception_reward.trainer_client.trainers.columns import client_of
from perception_reward.trainer_client.trainers.problems import Fields, asked_rows, first_row, group_of, items_of
from perception_reward.trainer_client.wire import ItemResult


class PerceptionReward(AsyncORM):
    """One reward per completion."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # ms-swift makes the rewards that were asked for with its trainer, before anything is generated.
        client_of().check_sync()

    async def __call__(self, completions: Sequence[Any], **columns: Any) -> list[float | None]:
        items = asked_items(completions, columns)
        results = await client_of().score(items, step=step_of(columns))
        return rewards_of(results, items, self.args)


class PerceptionRewardSync(ORM):
    """The same, waited for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        client_of().check_sync()

    def __call__(self, completions: Sequence[Any], **columns: Any) -> list[float | None]:
        items = asked_items(completions, columns)
        results = client_of().score_sync(items, step=step_of(columns))
        return rewards_of(results, items, self.args)


def asked_items(completions: Sequence[Any], columns: dict[str, Any]) -> list[Fields]:
    rows = list(asked_rows(columns, len(completions)))
    return items_of(client_of().facts, rows, completions, beside=first_row(columns, len(completions)))


def step_of(columns: dict[str, Any]) -> int | None:
    return getattr(columns.get("trainer_state"), "global_step", None)


def rewards_of(results: Sequence[ItemResult], items: Sequence[Fields], args: Any) -> list[float | None]:
    asked: Policy = client_of().options.on_missing
    excluded = getattr(args, "scale_rewards", None) == "gdpo"
    groups = [group_of(item) for item in items]
    return resolve(results, groups, "group_mean" if asked == "native" and not excluded else asked)


orms["perception_reward"] = PerceptionReward
orms["perception_reward_sync"] = PerceptionRewardSync

"""Rewards for trainers that want a number for every sample: as far as they can follow the policies of `missing`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from perception_reward.trainer_client.missing import resolve
from perception_reward.trainer_client.options import Policy
from perception_reward.trainer_client.wire import ItemResult


def alone(policy: Policy) -> Policy:
    """What is left of a policy where a sample is scored without its group: it has no mean to take."""
    return "zero" if policy == "zero" else "raise"


def lone_score(result: ItemResult, policy: Policy) -> float:
    """The score of a sample scored without its group. Raises `MissingScore` where the policy has no number for it."""
    return _numbers(resolve([result], policy=alone(policy)))[0]


def group_scores(results: Sequence[ItemResult], groups: Sequence[Hashable], policy: Policy) -> list[float]:
    """The scores of a batch, for trainers with no word for a missing one: `native` is the group's mean."""
    return _numbers(resolve(results, groups, "group_mean" if policy == "native" else policy))


def _numbers(scores: Sequence[float | None]) -> list[float]:
    numbers = [score for score in scores if score is not None]
    assert len(numbers) == len(scores), "the policy gives a number for each, or has raised"
    return numbers

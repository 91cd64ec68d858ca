"""A result as the numbers that a trainer logs: the same keys for every sample, none of them None."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, cast, get_args

from perception_reward.trainer_client.client import RewardClient
from perception_reward.trainer_client.wire import ItemResult, Reason

# What is told of missing scores: all that a service of today says, and the rest together.
MISSING = ("missing", *(f"missing/{reason}" for reason in get_args(Reason)), "missing/other")


def columns_of(result: ItemResult) -> dict[str, float]:
    """The profile's components by their names, but accuracy as `acc`, which trainers look for, and what `missing_of`
    tells. A component that does not apply or is unknown is NaN."""
    told = {
        "acc" if name == "accuracy" else name: math.nan if value is None else float(value)
        for name, value in result.components.items()
    }
    return told | missing_of(result)


def missing_of(result: ItemResult) -> dict[str, float]:
    """`missing`, and `missing/REASON` for each reason, 1.0 where it is so: their means are shares of all scores."""
    missing = result.score is None
    reason = f"missing/{result.reason}" if f"missing/{result.reason}" in MISSING else "missing/other"
    return dict.fromkeys(MISSING, 0.0) | ({"missing": 1.0, reason: 1.0} if missing else {})


@functools.cache
def client_of(**options: Any) -> RewardClient:
    """The client with these options, one for all calls of a process."""
    return RewardClient(**options)


def client_with(options: Mapping[str, Any]) -> RewardClient:
    """`client_of`, for options out of a configuration file, where several servers are a list."""
    return client_of(**{name: _hashable(value) for name, value in options.items()})


def _hashable(value: Any) -> Any:
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value

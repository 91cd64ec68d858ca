"""The thin client of perception-reward: the client itself, and the wire models that every caller shares.

What is offered here is imported when it is first asked for: an adapter that a trainer imports costs only what it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perception_reward.trainer_client.client import RewardClient
    from perception_reward.trainer_client.encoding import Item
    from perception_reward.trainer_client.errors import (
        DataError,
        InvalidItem,
        MissingScore,
        OptionError,
        RequestRefused,
        RewardError,
        ServiceUnavailable,
        TooManyMissing,
        Unauthorized,
    )
    from perception_reward.trainer_client.missing import resolve
    from perception_reward.trainer_client.options import Options, Policy
    from perception_reward.trainer_client.wire import (
        Components,
        Fact,
        FactResult,
        ItemResult,
        Message,
        ScoreItem,
        ScoreRequest,
        ScoreResponse,
        Summary,
    )

__all__ = [
    "Components",
    "DataError",
    "Fact",
    "FactResult",
    "InvalidItem",
    "Item",
    "ItemResult",
    "Message",
    "MissingScore",
    "OptionError",
    "Options",
    "Policy",
    "RequestRefused",
    "RewardClient",
    "RewardError",
    "ScoreItem",
    "ScoreRequest",
    "ScoreResponse",
    "ServiceUnavailable",
    "Summary",
    "TooManyMissing",
    "Unauthorized",
    "resolve",
]

_MODULES = {
    "client": ("RewardClient",),
    "encoding": ("Item",),
    "errors": (
        "DataError",
        "InvalidItem",
        "MissingScore",
        "OptionError",
        "RequestRefused",
        "RewardError",
        "ServiceUnavailable",
        "TooManyMissing",
        "Unauthorized",
    ),
    "missing": ("resolve",),
    "options": ("Options", "Policy"),
    "wire": (
        "Components",
        "Fact",
        "FactResult",
        "ItemResult",
        "Message",
        "ScoreItem",
        "ScoreRequest",
        "ScoreResponse",
        "Summary",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)

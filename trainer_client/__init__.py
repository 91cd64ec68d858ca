"""The thin client of perception-reward: the wire models that every caller shares."""

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
    "Fact",
    "FactResult",
    "ItemResult",
    "Message",
    "ScoreItem",
    "ScoreRequest",
    "ScoreResponse",
    "Summary",
]

"""Why a judgement could not be had."""

from __future__ import annotations

from perception_reward.trainer_client.wire import Reason


class JudgeFailure(Exception):
    """The endpoints gave no usable answer for one task. `reason` is what the task's `Missing` says."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail

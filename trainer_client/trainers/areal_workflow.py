"""AReaL: its workflows with the reward asked for in the loop of the rollouts.

    trainer.train(
        workflow="perception_reward.trainer_client.trainers.areal_workflow.VisionPerceptionWorkflow",
        workflow_kwargs={...},  # those of VisionRLVRWorkflow, without reward_fn
    )

`PerceptionWorkflow` is the same for text, from `RLVRWorkflow`. They do without what `reward_fn` goes through (see
`areal`): a pool of processes, to which images travel too, with a time limit after which a late answer is a reward of 0.
Samples that finish together travel together. What has no score is left out, and AReaL trains on the rest of its group.
"""

# The trainer's packages are not where this is checked.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import functools
import logging
import os
import signal
from typing import Any

from areal.api import RolloutWorkflow
from areal.workflow.rlvr import RLVRWorkflow
from areal.workflow.vision_rlvr import VisionRLVRWorkflow

from perception_reward.trainer_client.errors import DataError, MissingScore
from perception_reward.trainer_client.trainers.areal import reward
from perception_reward.trainer_client.trainers.columns import client_of

_log = logging.getLogger(__name__)


class _InTheLoop(RolloutWorkflow):
    """What both have in common."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # A function here would get a pool of processes.
        super().__init__("", *arguments, **options)
        self.reward_fn = self.async_reward_fn = reward
        client_of().check_sync()

    async def arun_episode(self, engine: Any, data: dict[str, Any]) -> Any:
        try:
            return await super().arun_episode(engine, data)
        except MissingScore as error:
            _log.warning("A sample is left out: %s", error)
            return None
        except DataError:
            _interrupt()
            raise


@functools.cache
def _interrupt() -> None:
    """As Ctrl-C does. AReaL leaves out what raises and goes on: where no row can be scored, it would never end."""
    os.kill(os.getpid(), signal.SIGINT)


class PerceptionWorkflow(_InTheLoop, RLVRWorkflow):
    """`RLVRWorkflow`, whose reward is the service's."""


class VisionPerceptionWorkflow(_InTheLoop, VisionRLVRWorkflow):
    """`VisionRLVRWorkflow`, whose reward is the service's."""

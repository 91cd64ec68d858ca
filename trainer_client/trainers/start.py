"""The moment before the first rollout, for trainers that load a module by then and call nothing of it.

Other adapters are made by their trainer (a class, a worker, an environment), and check the service there.
"""

from __future__ import annotations

import os
import sys

from perception_reward.trainer_client.options import variable
from perception_reward.trainer_client.trainers.columns import client_of


def check_if_loaded_by(trainer: str, *, takes_options: bool) -> None:
    """Check the service that the environment names, where this runs in a process of `trainer` (its package's name).

    A test or a tool that imports an adapter asks nobody. takes_options: the trainer may hand over an address later,
    with the first call, so that without one in the environment there is nobody to ask yet.
    """
    if trainer in sys.modules and (os.environ.get(variable("base_url")) or not takes_options):
        client_of().check_sync()

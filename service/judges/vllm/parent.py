"""An engine's process ends with the service, however the service ends.

vLLM stops its processes when it is shut down. Of a service that was killed they hear nothing, and would hold the
GPU's memory for ever. vLLM calls `end_with_parent` in each of its processes (entry point `vllm.general_plugins`).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait

# Set by the service for the engines that it starts: other vLLM processes of the environment are left alone.
MARK = "PERCEPTION_REWARD_ENDS_ENGINE"


def end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None or MARK not in os.environ:
        return

    def end() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=end, name="ends-with-parent", daemon=True).start()

"""A process of the engine ends with the service."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from perception_reward.service.judges.vllm.parent import MARK, end_with_parent

# A service with an engine of its own, each of which writes its pid; the engine would sleep for ever.
SERVICE = """
import multiprocessing, os, time
from perception_reward.service.judges.vllm.parent import end_with_parent

def engine():
    end_with_parent()
    os.write(1, f"{os.getpid()}\\n".encode())
    time.sleep(600)

if __name__ == "__main__":
    process = multiprocessing.get_context("fork").Process(target=engine)
    process.start()
    process.join()
"""


def test_an_engine_ends_with_the_service_however_that_ends():
    service = subprocess.Popen(
        [sys.executable, "-c", SERVICE], env=os.environ | {MARK: "1"}, stdout=subprocess.PIPE, text=True
    )
    assert service.stdout is not None
    assert int(service.stdout.readline()) > 0
    service.send_signal(signal.SIGKILL)
    # The pipe is closed once nobody has it any more: the engine has ended too.
    assert service.stdout.read() == ""
    service.stdout.close()
    service.wait()


def test_a_process_that_nobody_started_so_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(MARK, "1")
    assert multiprocessing.parent_process() is None
    end_with_parent()

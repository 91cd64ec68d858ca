"""The filters alone, each in a process of its own: what they refuse stays refused."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from perception_reward.service.processes.seccomp import ARCHITECTURES

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ARCHITECTURES, reason="no filter is known for this machine"
)

PREPARE = """
import ctypes, os, signal, socket, sys
from perception_reward.service.processes.seccomp import install, process_filter, worker_filter
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
"""


def run(program: str) -> str:
    command = [sys.executable, "-c", PREPARE + program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize(
    "attempt",
    [
        "open(sys.argv[1], 'w')",
        "os.open(sys.argv[1], os.O_RDWR)",
        "os.open(sys.argv[1], os.O_RDONLY | os.O_CREAT)",
        "os.truncate(sys.argv[1], 0)",
        "os.unlink(sys.argv[1])",
        "os.symlink('a', sys.argv[1] + '.link')",
        "socket.socket()",
        "socket.socketpair()",
        "os.execv('/bin/true', ['true'])",
    ],
)
def test_a_process_writes_reaches_and_runs_nothing(tmp_path: Path, attempt: str) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    program = f"install(process_filter())\nsys.argv = ['', {str(file)!r}]\nopen(sys.argv[1]).read()\n{attempt}"
    assert run(program).startswith("PermissionError: [Errno 1]")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("attempt", ["os.fork()", "os.kill(os.getppid(), 0)", "os.kill(0, 0)", "os.killpg(0, 0)"])
def test_a_worker_forks_nothing_and_signals_nobody_else(attempt: str) -> None:
    assert run(f"install(worker_filter(os.getpid()))\n{attempt}").startswith("PermissionError: [Errno 1]")


def test_a_worker_may_start_threads_and_end_itself() -> None:
    program = "import threading\ninstall(worker_filter(os.getpid()))\nthreading.Thread(target=int).start()\n"
    ended = subprocess.run([sys.executable, "-c", f"{PREPARE}{program}os.abort()"], capture_output=True, timeout=60)
    assert ended.returncode == -6


def test_a_process_may_fork_and_signal() -> None:
    assert run("install(process_filter())\npid = os.fork() or os._exit(0)\nos.kill(pid, 0)\nos.waitpid(pid, 0)") == ""

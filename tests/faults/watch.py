"""What a probe sees of a service while something is done to it: how soon `/livez` answers, and memory.

    python tests/faults/watch.py URL PID

A process of its own, so that whoever does the harm does not slow down the clock. It asks every 10 ms, over a connection
that it keeps, until its standard input ends, and then prints one JSON object: `seconds`, the list of how long each
answer took; `failed`, the number of tries without an answer; `bytes`, the most that the service and its children held
above what they held at the start (resident memory).
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil

EVERY_SECONDS = 0.01
PATIENCE_SECONDS = 20.0
MEASURES_A_SECOND = 20


class Probe:
    """One kept connection, made again where it breaks."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 0)
        self._connection: socket.socket | None = None

    def ask(self) -> bool:
        """Whether `/livez` answers; on a new connection, where the kept one was closed meanwhile."""
        kept = self._connection is not None
        return self._answers() or (kept and self._answers())

    def _answers(self) -> bool:
        try:
            if self._connection is None:
                self._connection = socket.create_connection(self._address, timeout=PATIENCE_SECONDS)
            self._connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}") and (part := self._connection.recv(65536)):
                answer += part
            if answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"}"):
                return True
        except OSError:
            pass
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        return False


def held(process: psutil.Process) -> int:
    """Bytes of resident memory of the process and what it has started."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            total += one.memory_info().rss
    return total


def forget_peak(process: psutil.Process) -> None:
    """Begin to measure the peak anew, where the kernel measures it."""
    with suppress(OSError):
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def peak(process: psutil.Process) -> int:
    """The most bytes that the service's own process has held since then: a short peak falls between two looks."""
    with suppress(OSError):
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
    return 0


def main(url: str, pid: int) -> None:
    probe, process = Probe(url), psutil.Process(pid)
    idle = most = held(process)
    own = process.memory_info().rss
    forget_peak(process)
    seconds: list[float] = []
    failed, measure_at = 0, 0.0
    print("watching", flush=True)
    while not select.select([sys.stdin], [], [], EVERY_SECONDS)[0]:
        asked = time.perf_counter()
        if probe.ask():
            seconds.append(time.perf_counter() - asked)
        else:
            failed += 1
        if time.perf_counter() > measure_at:
            with suppress(psutil.Error):
                most = max(most, held(process))
            measure_at = time.perf_counter() + 1 / MEASURES_A_SECOND
    print(json.dumps({"seconds": seconds, "failed": failed, "bytes": max(most - idle, peak(process) - own)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

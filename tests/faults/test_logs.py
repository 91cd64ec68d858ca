"""A standard error that nobody reads: the log may lose lines, the service nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx
import pytest

# Some 150 bytes of log for each: a pipe's 64 KiB are full after some 400.
REQUESTS = 1500


@pytest.mark.faults
def test_a_service_whose_log_nobody_reads_answers_and_ends():
    command = [sys.executable, "-m", "perception_reward.service.cli", "serve", "--port", "0", "--log-json"]
    with subprocess.Popen([*command, "--workers", "1"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                started = json.loads(line)
                if started["message"] == "listening":
                    break
            with httpx.Client(base_url=started["address"], timeout=20) as http:
                for _ in range(REQUESTS):
                    assert http.get("/v1/profiles").status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
            lines = [json.loads(line) for line in process.stderr if line.endswith("}\n")]
        finally:
            process.kill()
    assert sum(line["message"].startswith("GET") for line in lines) < REQUESTS


def test_the_last_line_says_that_it_is_the_last(start_process):
    service = start_process("--workers", "1")
    httpx.get(f"{service.url}/livez")
    service.signal(signal.SIGTERM)
    assert service.wait() == 0
    assert service.log[-1]["message"] == "stopped"
    assert service.log[-1]["requests"] == 1

"""What `deploy/` relies on in vLLM: its arguments, and how an engine that hangs looks from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(700)]

BASE = Path(__file__).parents[2] / "deploy/kustomize/base"
PARSE = """\
import json, sys
from vllm.utils.argparse_utils import FlexibleArgumentParser
from vllm.entrypoints.launchers.cli_args import make_arg_parser
given = make_arg_parser(FlexibleArgumentParser()).parse_args(json.loads(sys.argv[1]))
names = ("model_tag", "served_model_name", "max_model_len", "shutdown_timeout", "enable_prefix_caching")
print(json.dumps({name: getattr(given, name) for name in names}))
"""


def probe(url: str, state: Path) -> tuple[int, str]:
    command = [sys.executable, BASE / "progress.py", "--url", url, "--state", state, "--stalled", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def test_an_engine_that_hangs_answers_health_and_fails_the_probe(vllm_server: Any, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert [probe(vllm_server.url, state)[0] for _ in range(2)] == [0, 0]
    (server,) = (one for one in psutil.Process().children() if one.pid == vllm_server._process.pid)
    (engine,) = (
        one for one in server.children(recursive=True) if "EngineCore" in " ".join([one.name(), *one.cmdline()])
    )
    os.kill(engine.pid, signal.SIGSTOP)
    try:
        with urllib.request.urlopen(vllm_server.url + "/health", timeout=10) as reply:
            assert reply.status == 200
        # The first still sees what the last one's own request moved.
        probe(vllm_server.url, state)
        status, words = probe(vllm_server.url, state)
        assert status == 1, words
    finally:
        os.kill(engine.pid, signal.SIGCONT)
    assert probe(vllm_server.url, state)[0] == 0


def test_the_arguments_of_the_judge_are_vllms(vllm_python: str) -> None:
    objects = yaml.safe_load_all((BASE / "judge.yaml").read_text())
    container = next(one for one in objects if one["kind"] == "StatefulSet")["spec"]["template"]["spec"]["containers"][
        0
    ]
    command = [vllm_python, "-c", PARSE, json.dumps(container["args"])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "model_tag": "Qwen/Qwen2.5-7B-Instruct",
        "served_model_name": ["Qwen/Qwen2.5-7B-Instruct"],
        "max_model_len": 12288,
        "shutdown_timeout": 115,
        "enable_prefix_caching": True,
    }

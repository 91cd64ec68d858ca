"""For tests inside a trainer's own environment: a judge that can be killed, and the service beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from perception_reward.trainer_client.trainers.columns import client_of

# Seconds; nothing waits this long when all is well.
PATIENCE = 60.0
KEY = "s3cret-key"


class Judge:
    """A judge server of the model `m`. What it says of a fact depends on the prompt's tokens alone; of one response
    in five it says nothing that can be read."""

    def __init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._server = None


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer({"data": [{"id": "m"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/completions":
            self.send_error(404)
            return
        prompt = asked["prompt"][0] if isinstance(asked["prompt"][0], list) else asked["prompt"]
        told = sum(place * token for place, token in enumerate(prompt))
        text = "".join(f"<info{n}>{told >> n & 1}</info{n}>" for n in range(1, 20))
        self._answer({"choices": [{"index": 0, "text": "" if told % 5 == 0 else text}]})

    def _answer(self, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def judge() -> Iterator[Judge]:
    server = Judge()
    yield server
    server.stop()


@pytest.fixture
def judged(
    judge: Judge, start_process: Callable[..., Any], annotations_file: Path, tokenizer_folder: Path
) -> Callable[..., Any]:
    """A service whose judge is `judge`, with the annotation `triangle/1`."""
    options = ("--judge-method", "paper", "--judge-tokenizer", str(tokenizer_folder), "--workers", "1")
    return start_process("--judge", f"openai:{judge.url}#m", "--annotations", str(annotations_file), *options)


@pytest.fixture
def keyed_service(
    start_process: Callable[..., Any], annotations_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """A service that wants a key, and the environment by which an adapter's own client finds it."""
    process = start_process("--annotations", str(annotations_file), "--workers", "1", environment={"api_key": KEY})
    monkeypatch.setenv("PERCEPTION_REWARD_URL", process.url)
    monkeypatch.setenv("PERCEPTION_REWARD_API_KEY", KEY)
    client_of.cache_clear()
    yield process
    client_of().close()
    client_of.cache_clear()


def await_ready(url: str) -> None:
    """Return once the service at `url` is ready."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=10):
                return
        except urllib.error.URLError:
            time.sleep(0.2)
    raise AssertionError(f"{url} was not ready within {PATIENCE:g} s")


@pytest.fixture
def ready() -> Callable[[str], None]:
    return await_ready


@pytest.fixture
def score_files(tmp_path: Path) -> Callable[[Path], tuple[str, list[dict[str, Any]]]]:
    """Has `perception-reward score` read what a trainer has written; what it told, and the results."""

    def score(rollouts: Path) -> tuple[str, list[dict[str, Any]]]:
        out = tmp_path / "results.jsonl"
        python = os.environ.get("SERVICE_PYTHON", sys.executable)
        command = [python, "-m", "perception_reward.service.cli", "score", str(rollouts), str(out), "--workers", "1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert out.exists(), done.stderr
        return done.stderr, [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]

    return score

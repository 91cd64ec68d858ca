"""The judge's liveness probe, as a container runs it, against a vLLM server that does as the test says."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.deploy

# As vLLM 0.32 prints them.
METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="Qwen/Qwen2.5-7B-Instruct"}} {running}
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{engine="0",model_name="Qwen/Qwen2.5-7B-Instruct"}} {waiting}
# TYPE vllm:num_requests_waiting_by_reason gauge
vllm:num_requests_waiting_by_reason{{engine="0",model_name="Qwen/Qwen2.5-7B-Instruct",reason="capacity"}} {waiting}
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{{engine="0",model_name="Qwen/Qwen2.5-7B-Instruct"}} {tokens}
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{{engine="0",model_name="Qwen/Qwen2.5-7B-Instruct"}} 1.0
# TYPE vllm:iteration_tokens_total histogram
vllm:iteration_tokens_total_bucket{{engine="0",le="+Inf",model_name="Qwen/Qwen2.5-7B-Instruct"}} {steps}
vllm:iteration_tokens_total_count{{engine="0",model_name="Qwen/Qwen2.5-7B-Instruct"}} {steps}
"""


class Engine(ThreadingHTTPServer):
    """running, waiting, tokens, steps: what /metrics says. status: of a completion; None lets it wait for ever."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.running = self.waiting = 0.0
        self.tokens, self.steps = 1000.0, 10.0
        self.status: int | None = 200
        self.silent = False
        self.asked: list[tuple[str | None, bytes]] = []
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Engine

    def log_message(self, format: str, *args: object) -> None: ...

    def do_GET(self) -> None:
        if self.path == "/metrics" and self.server.silent:
            self.server.over.wait()
        engine = self.server
        numbers = {"running": engine.running, "waiting": engine.waiting, "tokens": engine.tokens, "steps": engine.steps}
        # A hung engine still answers /health.
        self._answer(200, METRICS.format(**numbers).encode() if self.path == "/metrics" else b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.headers["Authorization"], body))
        if self.server.status is None:
            self.server.over.wait()
            return
        self._answer(self.server.status, b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def engine() -> Iterator[Engine]:
    server = Engine()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


class Probe:
    """Calls of the probe, one process each, with one state; its waits are shortened, and `--stalled` is 0 s."""

    def __init__(self, script: Path, state: Path, url: str) -> None:
        short = script.read_text().replace("= 5.0, 10.0", "= 0.5, 0.5")
        self.script = state.with_name("progress.py")
        self.script.write_text(short)
        self.state, self.url = state, url

    def __call__(self, stalled: float = 0.0, silent: float = 0.0) -> tuple[int, str]:
        command = [sys.executable, self.script, "--url", self.url, "--state", self.state]
        command += ["--stalled", str(stalled), "--silent", str(silent)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env={"VLLM_API_KEY": "k", "PATH": "/usr/bin"}
        )
        assert done.stderr == ""
        return done.returncode, done.stdout


@pytest.fixture
def probe(root: Path, tmp_path: Path, engine: Engine) -> Probe:
    return Probe(root / "deploy/kustomize/base/progress.py", tmp_path / "state.json", engine.url)


def test_an_engine_that_computes_nothing_while_requests_run_fails(engine: Engine, probe: Probe) -> None:
    engine.running = 3.0
    assert probe() == (0, "the engine gets on\n")
    status, words = probe()
    assert status == 1
    assert "no token was computed" in words
    # And is well again as soon as something moves.
    engine.tokens += 1
    assert probe()[0] == 0


def test_requests_that_only_wait_count_too(engine: Engine, probe: Probe) -> None:
    engine.waiting = 1.0
    probe()
    assert probe()[0] == 1


def test_it_has_the_time_it_is_given(engine: Engine, probe: Probe) -> None:
    engine.running = 3.0
    probe()
    assert probe(stalled=600.0)[0] == 0


def test_load_alone_never_fails_it(engine: Engine, probe: Probe) -> None:
    engine.running, engine.waiting = 256.0, 4000.0
    for _ in range(3):
        engine.tokens += 1
        assert probe()[0] == 0
    assert engine.asked == []


def test_a_long_prompt_is_progress_although_no_request_has_an_answer_yet(engine: Engine, probe: Probe) -> None:
    engine.running = 1.0
    for _ in range(3):
        engine.steps += 1
        assert probe()[0] == 0


def test_an_idle_engine_is_asked_for_a_token_and_lives(engine: Engine, probe: Probe) -> None:
    probe()
    for _ in range(2):
        assert probe()[0] == 0
    key, body = engine.asked[0]
    assert key == "Bearer k"
    assert b'"model": "Qwen/Qwen2.5-7B-Instruct"' in body
    assert b'"max_tokens": 1' in body


def test_an_engine_that_hangs_with_nothing_to_do_is_found_out(engine: Engine, probe: Probe) -> None:
    """Its gauges, which it updates itself, say for ever that nothing runs."""
    engine.status = None
    probe()
    assert probe()[0] == 1


@pytest.mark.parametrize("status", [400, 401, 404, 503])
def test_a_refusal_is_an_answer(engine: Engine, probe: Probe, status: int) -> None:
    engine.status = status
    probe()
    assert probe()[0] == 0


def test_a_server_that_is_silent_fails_after_its_own_time(engine: Engine, probe: Probe) -> None:
    probe()
    engine.silent = True
    assert probe(silent=600.0)[0] == 0
    status, words = probe()
    assert status == 1
    assert "/metrics has not answered" in words


def test_a_broken_state_is_begun_anew(engine: Engine, probe: Probe) -> None:
    engine.running = 1.0
    for text in ("", "{", "[]", '{"counters": 1}'):
        probe.state.write_text(text)
        assert probe()[0] == 0

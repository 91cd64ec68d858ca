"""A real vLLM server of another environment, with a model of random weights made on the spot.

`PERCEPTION_REWARD_VLLM_PYTHON` names that environment's Python; by default it is `.venv-vllm/bin/python`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# Seconds that a server may take to start; a loaded two-core machine takes more than one minute.
STARTUP = 300

# A Qwen2 of two small layers: the engine takes the code paths of the large ones.
MODEL = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "vocab_size": 512,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
}


class VLLMServer:
    """`tiny` on a free port of 127.0.0.1, to be killed and started again."""

    def __init__(self, python: str, model: Path) -> None:
        self._command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
        self._command += ["--served-model-name", "tiny", "--load-format", "dummy", "--dtype", "float32"]
        self._command += ["--enforce-eager", "--block-size", "32", "--max-model-len", "4096"]
        self._log = model / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._command += ["--host", "127.0.0.1", "--port", str(self.port)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and return once it answers."""
        # Without pinned threads the engine shares the cores; pinned ones stall when others use them.
        settings = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1"}
        settings |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=os.environ | settings,
                cwd=self._log.parent,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + STARTUP
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError("vLLM did not start:\n" + self._log.read_text(errors="replace")[-4000:])
            time.sleep(0.5)

    def kill(self) -> None:
        """SIGKILL for the server and its engine. Harmless when it is already dead."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def tokenize(self, **request: object) -> list[int]:
        """The server's own tokens for a `prompt`, or for `messages`."""
        body = json.dumps({"model": "tiny", **request}).encode()
        headers = {"Content-Type": "application/json"}
        query = urllib.request.Request(self.url + "/tokenize", data=body, headers=headers)
        with urllib.request.urlopen(query, timeout=30) as reply:
            return json.load(reply)["tokens"]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture(scope="session")
def vllm_model(make_tokenizer: Callable[..., Path]) -> Path:
    """A folder with a configuration and a tokenizer; the server invents the weights."""
    folder = make_tokenizer()
    (folder / "config.json").write_text(json.dumps(MODEL))
    return folder


@pytest.fixture(scope="session")
def vllm_server(vllm_model: Path) -> Iterator[VLLMServer]:
    """A running server that all tests share. A test that kills it starts it again."""
    python = os.environ.get("PERCEPTION_REWARD_VLLM_PYTHON", str(REPOSITORY / ".venv-vllm/bin/python"))
    if not Path(python).exists():
        pytest.skip(f"no vLLM environment at {python}; run `make test-vllm`")
    server = VLLMServer(python, vllm_model)
    server.start()
    yield server
    server.kill()

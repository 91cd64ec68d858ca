"""A real vLLM of another environment, as a server or inside the service, and models made on the spot.

`PERCEPTION_REWARD_VLLM_PYTHON` names that environment's Python; by default it is `.venv-vllm/bin/python`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

REPOSITORY = Path(__file__).resolve().parents[2]

# Seconds that a server may take to start; a loaded two-core machine takes more than one minute.
STARTUP = 300

# A Qwen2 of two small layers: the engine takes the code paths of the large ones.
MODEL: dict[str, Any] = {
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


# Without pinned threads the engine shares the cores; pinned ones stall when others use them.
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
}


class VLLMServer:
    """`tiny` on a free port of 127.0.0.1, to be killed and started again. variables: more of its environment."""

    def __init__(self, python: str, model: Path, variables: dict[str, str] | None = None) -> None:
        self._variables = variables or {}
        self._command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
        self._command += ["--served-model-name", "tiny", "--dtype", "float32"]
        self._command += ["--enforce-eager", "--block-size", "32", "--max-model-len", "4096"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = model / f"server-{self.port}.log"
        self._command += ["--host", "127.0.0.1", "--port", str(self.port)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and return once it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=os.environ | ENVIRONMENT | self._variables | {"VLLM_SERVER_DEV_MODE": "1"},
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
        return json.loads(self._post("/tokenize", {"model": "tiny", **request}))["tokens"]

    def forget(self) -> None:
        """Empty the prefix cache."""
        self._post("/reset_prefix_cache", {})

    def prefix_tokens(self) -> tuple[int, int]:
        """Of all prompts so far, how many tokens the server had to answer for, and how many of them its prefix cache
        held."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=30) as reply:
            counters = reply.read().decode()
        asked, held = (
            sum(float(value) for value in re.findall(rf"^vllm:prefix_cache_{name}_total{{.*}} (\S+)$", counters, re.M))
            for name in ("queries", "hits")
        )
        return int(asked), int(held)

    def _post(self, path: str, body: dict[str, object]) -> bytes:
        headers = {"Content-Type": "application/json"}
        query = urllib.request.Request(self.url + path, data=json.dumps(body).encode(), headers=headers)
        with urllib.request.urlopen(query, timeout=30) as reply:
            return reply.read()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture(scope="session")
def vllm_model(make_tokenizer: Callable[..., Path]) -> Path:
    """A folder with a tokenizer and random weights, large enough for an answer to depend on what was read."""
    folder = make_tokenizer()
    (folder / "config.json").write_text(json.dumps(MODEL))
    save_file(_weights(), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _weights() -> dict[str, Any]:
    width, inner, random = MODEL["hidden_size"], MODEL["intermediate_size"], np.random.default_rng(7)

    def matrix(*shape: int) -> Any:
        return random.normal(0.0, 2.0 / shape[-1] ** 0.5, shape).astype(np.float32)

    tensors = {"model.embed_tokens.weight": matrix(MODEL["vocab_size"], width)}
    tensors["model.norm.weight"] = np.ones(width, np.float32)
    for layer in range(MODEL["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        for name in ("q", "k", "v"):
            tensors[f"{at}.self_attn.{name}_proj.weight"] = matrix(width, width)
            tensors[f"{at}.self_attn.{name}_proj.bias"] = matrix(width)
        tensors[f"{at}.self_attn.o_proj.weight"] = matrix(width, width)
        tensors[f"{at}.mlp.gate_proj.weight"] = matrix(inner, width)
        tensors[f"{at}.mlp.up_proj.weight"] = matrix(inner, width)
        tensors[f"{at}.mlp.down_proj.weight"] = matrix(width, inner)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{at}.{name}.weight"] = np.ones(width, np.float32)
    return tensors


@pytest.fixture(scope="session")
def vllm_config() -> dict[str, object]:
    return MODEL


@pytest.fixture(scope="session")
def vllm_environment() -> dict[str, str]:
    """The variables that an engine needs beside others on a small machine."""
    return ENVIRONMENT


@pytest.fixture(scope="session")
def vllm_python() -> str:
    python = os.environ.get("PERCEPTION_REWARD_VLLM_PYTHON", str(REPOSITORY / ".venv-vllm/bin/python"))
    if not Path(python).exists():
        pytest.skip(f"no vLLM environment at {python}; run `make test-vllm`")
    return python


@pytest.fixture(scope="session")
def vllm_server(vllm_model: Path, vllm_python: str) -> Iterator[VLLMServer]:
    """A running server that all tests share. A test that kills it starts it again."""
    yield from started(vllm_python, vllm_model)


@pytest.fixture(scope="module")
def vllm_replica(vllm_model: Path, vllm_python: str) -> Iterator[VLLMServer]:
    """A second server of the same model, for as long as the module's tests run."""
    yield from started(vllm_python, vllm_model)


@pytest.fixture(scope="module")
def vision_server(vllm_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VLLMServer]:
    """A server of a Qwen2.5-VL with random weights, which is shown images."""
    vision, folder = Path(vllm_python).parents[1] / "vision", tmp_path_factory.mktemp("vision")
    if not vision.exists():
        pytest.skip(f"no torchvision at {vision}; run `make test-vllm`")
    shim = folder / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(SHIM, encoding="utf-8")
    maker = Path(__file__).with_name("tiny_vision.py")
    subprocess.run(
        [vllm_python, str(maker), str(folder)], check=True, capture_output=True, env=os.environ | ENVIRONMENT
    )
    yield from started(vllm_python, folder, {"PYTHONPATH": f"{shim}{os.pathsep}{vision}"})


# torchvision's own operators do not load beside a torch for CPUs, and are not needed; that they are named is.
SHIM = """
import torch
operators = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    operators.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def started(python: str, model: Path, variables: dict[str, str] | None = None) -> Iterator[VLLMServer]:
    server = VLLMServer(python, model, variables)
    server.start()
    yield server
    server.kill()

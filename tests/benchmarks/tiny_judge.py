"""A vLLM server on the CPU with a model of two small layers and random weights: no download, and no meaning.

It costs a judge's requests what they cost in HTTP, tokens and scheduling, and next to nothing in arithmetic.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STARTUP_SECONDS = 600
NAME = "tiny"

MODEL = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
    "vocab_size": 8192,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "rope_theta": 1e6,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
}
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "2",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "2",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    # For /reset_prefix_cache.
    "VLLM_SERVER_DEV_MODE": "1",
}


@dataclass(frozen=True)
class JudgeServer:
    """url: without /v1. tokenizer: a folder or name. pid: of the server's process, where it is ours."""

    url: str
    model: str
    tokenizer: str
    pid: int | None = None

    def forget(self) -> bool:
        """Empty its prefix cache; False where it does not offer that."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + "/reset_prefix_cache", method="POST")):
                return True
        except urllib.error.HTTPError:
            return False


@contextmanager
def tiny_judge(texts: Sequence[str], answer_tokens: int | None) -> Iterator[JudgeServer]:
    """A server whose tokenizer was made of `texts`.

    answer_tokens: what the server writes at most, whatever a request asks for; random weights seldom stop.
    """
    with tempfile.TemporaryDirectory(prefix="tiny-judge-") as made, socket.socket() as probe:
        folder = Path(made)
        (folder / "config.json").write_text(json.dumps(MODEL))
        _make_tokenizer(folder, texts)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", made, "--port", str(port)]
        command += ["--served-model-name", NAME, "--host", "127.0.0.1", "--load-format", "dummy", "--enforce-eager"]
        command += ["--dtype", "float32", "--block-size", "32"]
        if answer_tokens:
            command += ["--override-generation-config", json.dumps({"max_new_tokens": answer_tokens})]
        with (folder / "server.log").open("w+") as log:
            process = subprocess.Popen(
                command, env=os.environ | ENVIRONMENT, cwd=made, stdout=log, stderr=log, start_new_session=True
            )
            try:
                server = JudgeServer(f"http://127.0.0.1:{port}", NAME, made, process.pid)
                _await_start(server, process, folder / "server.log")
                yield server
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _await_start(server: JudgeServer, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            with urllib.request.urlopen(server.url + "/health", timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("vLLM did not start:\n" + log.read_text(errors="replace")[-4000:]) from None
            time.sleep(0.5)


def _make_tokenizer(folder: Path, texts: Sequence[str]) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=MODEL["vocab_size"],
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # The answers of the questions are words of their own to every judge model.
    bpe.train_from_iterator([*texts, *["\nYes\nNo\nUnknown Yes No Unknown"] * 50], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>")
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)

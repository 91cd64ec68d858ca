"""What an operator runs, on 127.0.0.1: nginx before three replicas that share a Redis and two judge servers.

Everything is a process of its own and real, but for the judge's model: `judge_server.py` answers by a rule. nginx reads
`deploy/nginx/perception-reward.conf`, in which only the addresses are changed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import itertools
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from perception_reward.trainer_client import RewardClient
from perception_reward.trainer_client.wire import ItemResult

HERE = Path(__file__).parent
NGINX_CONF = HERE.parents[1] / "deploy" / "nginx" / "perception-reward.conf"
PAGE = HERE.parents[1] / "deploy" / "reliability.md"
KEY = "a-key-of-the-test"
REPLICAS, JUDGES = 3, 2
# Seconds for a process to be up, or a condition to come about, on a busy machine.
PATIENCE = 180.0


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until it holds, for what gives no sign but being asked."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(httpx.HTTPError, OSError):
            if condition():
                return
        time.sleep(0.05)
    raise AssertionError(f"not so within {seconds:g} s: {what}")


class JudgeProcess:
    """`judge_server.py` on a port that it keeps."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, str(HERE / "judge_server.py"), str(self.port)])
        until(lambda: httpx.get(f"{self.url}/v1/models").status_code == 200, "a judge server listens")

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process.poll() is None:
            self.send(number)
            self.send(signal.SIGCONT)
        self._process.wait(timeout=60)

    def answers(self, mode: str, seconds: float = 0.0) -> None:
        httpx.put(f"{self.url}/mode", json={"mode": mode, "seconds": seconds}, timeout=PATIENCE)

    def asked(self) -> Counter[str]:
        """How often each prompt was asked, and begin to count anew."""
        counts = Counter(httpx.get(f"{self.url}/asked", timeout=PATIENCE).json())
        httpx.delete(f"{self.url}/asked", timeout=PATIENCE)
        return counts


class Nginx:
    """nginx with the configuration that `deploy/` gives an operator."""

    def __init__(self, folder: Path, port: int, replicas: Sequence[int]) -> None:
        binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
        if binary is None:
            pytest.skip("no nginx: install it (apt install nginx-light)")
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "access.log"
        self._command = [binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        (folder / "service.conf").write_text(addressed(NGINX_CONF.read_text(), port, replicas))
        (folder / "nginx.conf").write_text(MAIN)
        (folder / "temp").mkdir()
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)

    @property
    def pid(self) -> int:
        return self._process.pid

    def reload(self) -> None:
        subprocess.run([*self._command, "-t", "-q"], check=True)
        subprocess.run([*self._command, "-s", "reload"], check=True)

    def statuses(self, since: int = 0) -> Counter[str]:
        """How often each status was answered to a request for scores, from line `since` of the log on."""
        return Counter(line.split()[0] for line in self.lines()[since:])

    def lines(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if "/v1/score" in line]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


# What a distribution's nginx.conf holds, and a log that says what became of each try.
MAIN = """daemon off;
user root;
worker_processes 2;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 4096; }
http {
    client_body_temp_path temp/body; proxy_temp_path temp/proxy; fastcgi_temp_path temp/fastcgi;
    uwsgi_temp_path temp/uwsgi; scgi_temp_path temp/scgi;
    log_format tries '$status $request_uri $request_time $upstream_addr $upstream_status $upstream_response_time';
    access_log access.log tries;
    include service.conf;
}
"""


def addressed(conf: str, port: int, replicas: Sequence[int]) -> str:
    """The operator's configuration with the addresses of this machine, and nothing else changed."""
    for number, replica in enumerate(replicas):
        conf = conf.replace(f"10.0.0.1{number + 1}:8420", f"127.0.0.1:{replica}")
    assert "10.0.0." not in conf
    return conf.replace("listen 8420", f"listen 127.0.0.1:{port}")


@dataclasses.dataclass(frozen=True)
class RedisLink:
    """How the replicas reach Redis. behave: tells what stands between, where something does."""

    url: str
    behave: Callable[[str], None] = lambda words: None


@dataclasses.dataclass
class Topology:
    """What runs. Replicas are started with `start`, which takes the options of `serve`."""

    nginx: Nginx
    redis: Any
    link: RedisLink
    judges: list[JudgeProcess]
    ports: list[int]
    tokenizer: Path
    start: Callable[..., Any]
    more: Sequence[str] = ()
    key: str = KEY
    replicas: list[Any] = dataclasses.field(default_factory=list)

    def options(self) -> list[str]:
        urls = ",".join(judge.url for judge in self.judges)
        judge = ["--judge", f"openai:{urls}#rule", "--judge-tokenizer", str(self.tokenizer)]
        return [*judge, "--workers", "1", *self.more]

    def start_replica(self, number: int) -> None:
        replica = self.start(
            *self.options(),
            "--port",
            str(self.ports[number]),
            "--redis-url",
            self.link.url,
            environment={"api_key": KEY},
        )
        self.replicas[number : number + 1] = [replica]
        until(lambda: httpx.get(f"{replica.url}/readyz", timeout=5).status_code == 200, "a replica is ready")

    @cached_property
    def alone(self) -> Any:
        """One unbroken service beside all this: the same judges, and nothing shared with the others."""
        return self.start(*self.options(), environment={"api_key": KEY})

    def client(self, **options: Any) -> RewardClient:
        return RewardClient(self.nginx.url, KEY, missing_limit=1.0, **options)


@pytest.fixture(scope="session")
def rollouts() -> ModuleType:
    """`rollouts.py`, which locust reads too."""
    spec = importlib.util.spec_from_file_location("rollouts", HERE / "rollouts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def judge_tokenizer(tmp_path_factory: pytest.TempPathFactory, rollouts: ModuleType) -> Path:
    """A tokenizer that has learnt the prompt, so that questions are as many tokens as with a real one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from perception_reward.service.judges import llm

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    prompt = (Path(llm.__file__).parent / "prompts" / "verdict.txt").read_text()
    said = [item["response"] for item in rollouts.burst(0, 32)]
    bpe.train_from_iterator(["Yes No Unknown", " Yes No Unknown"] * 50 + [prompt] * 20 + said, trainer)
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>")
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    return lambda: free_ports(1)[0]


@pytest.fixture(scope="module")
def judges() -> Iterator[list[JudgeProcess]]:
    with ExitStack() as stack:
        started: list[JudgeProcess] = []
        for port in free_ports(JUDGES):
            started.append(JudgeProcess(port))
            stack.callback(started[-1].stop)
        yield started


@pytest.fixture(scope="module")
def shared_redis(start_shared_redis: Callable[..., Any]) -> Any:
    return start_shared_redis()


@pytest.fixture(scope="module")
def redis_link(shared_redis: Any) -> RedisLink:
    return RedisLink(shared_redis.url)


@pytest.fixture(scope="module")
def replica_options() -> tuple[str, ...]:
    """Further options of `serve` for each replica."""
    return ()


@pytest.fixture(scope="module")
def topology(
    judges: list[JudgeProcess],
    judge_tokenizer: Path,
    shared_redis: Any,
    redis_link: RedisLink,
    replica_options: tuple[str, ...],
    start_shared_process: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Topology]:
    """All of it, for the tests of one module."""
    port, *ports = free_ports(1 + REPLICAS)
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), port, ports)
    try:
        start = start_shared_process
        made = Topology(nginx, shared_redis, redis_link, judges, ports, judge_tokenizer, start, replica_options)
        for number in range(REPLICAS):
            made.start_replica(number)
        until(lambda: httpx.get(f"{nginx.url}/livez").status_code == 200, "nginx passes requests on")
        yield made
    finally:
        nginx.stop()


@dataclasses.dataclass(frozen=True)
class Call:
    """Of one call its time by `time.monotonic`, and how many of its items have no score."""

    started: float
    ended: float
    missing: int

    @property
    def seconds(self) -> float:
        return self.ended - self.started


class Load:
    """A trainer that scores burst after burst, several at once, and remembers what it was told.

    calls: in the order in which they ended. results: by the item's id.
    """

    def __init__(self, client: RewardClient, burst: Callable[[int, int], list[dict[str, Any]]], first: int) -> None:
        self._client, self._burst = client, burst
        self._numbers = itertools.count(first)
        self._over = False
        self._answered = asyncio.Event()
        self.items: list[dict[str, Any]] = []
        self.results: dict[str, ItemResult] = {}
        self.calls: list[Call] = []

    @asynccontextmanager
    async def running(self, callers: int = 4, size: int = 64) -> AsyncIterator[Load]:
        tasks = [asyncio.create_task(self._call(size)) for _ in range(callers)]
        try:
            yield self
        finally:
            self._over = True
            await asyncio.gather(*tasks)

    async def _call(self, size: int) -> None:
        while not self._over:
            items = self._burst(next(self._numbers), size)
            started = time.monotonic()
            results = await self._client.score(items)
            self.calls.append(Call(started, time.monotonic(), sum(result.status == "missing" for result in results)))
            self.items += items
            self.results |= {result.id: result for result in results if result.id is not None}
            self._answered.set()

    async def answers(self, more: int) -> None:
        """Return once `more` further calls were answered."""
        enough = len(self.calls) + more
        async with asyncio.timeout(PATIENCE * 3):
            while len(self.calls) < enough:
                self._answered.clear()
                await self._answered.wait()

    @property
    def missing(self) -> Counter[str]:
        """How many items have no score, by the reason."""
        return Counter(result.reason for result in self.results.values() if result.reason is not None)


async def wrong(items: Sequence[dict[str, Any]], results: Mapping[str, ItemResult], alone: str) -> list[str]:
    """The ids whose score, components or verdicts differ from those of the unbroken service `alone`, or are lost.

    What is missing has no score that could be wrong, but each component that it has must be right.
    """
    # One service answers for what three did: it may take its time, a few at once.
    patient = {"timeout": 3600.0, "request_items": 64, "requests_at_once": 4}
    async with RewardClient(alone, KEY, check=False, **patient) as client:
        truths = await client.score(items)
    found: list[str] = []
    for item, truth in zip(items, truths, strict=True):
        assert truth.status == "ok", truth
        result = results.get(item["id"])
        if result is None or not (result == truth if result.status == "ok" else agrees(result, truth)):
            found.append(item["id"])
    return found


def agrees(missing: ItemResult, truth: ItemResult) -> bool:
    known = {name: value for name, value in missing.components.items() if value is not None}
    return missing.score is None and known.items() <= truth.components.items()


@pytest.fixture
async def load(topology: Topology, rollouts: ModuleType) -> AsyncIterator[Load]:
    """A load on the topology that the test starts. Tests of one module send different items."""
    async with topology.client() as client:
        yield Load(client, rollouts.burst, next(FIRST))


FIRST = itertools.count(1, 100_000)


@pytest.fixture
def all_right(topology: Topology) -> Callable[[Load], Awaitable[None]]:
    """`await all_right(load)`: each score is that of one unbroken service."""

    async def check(load: Load) -> None:
        assert load.items
        assert await wrong(load.items, load.results, topology.alone.url) == []

    return check


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-load", action="store_true", help="write deploy/reliability.md from this run")


@pytest.fixture(scope="session")
def section() -> Callable[[str], str]:
    """`section(name)`: what the page has between its markers of that name."""
    return lambda name: PAGE.read_text(encoding="utf-8").split(f"<!-- {name}: begin -->")[1].split("<!--")[0]


@pytest.fixture(scope="session")
def write_section(pytestconfig: pytest.Config) -> Callable[[str, str], None]:
    """`write_section(name, text)`: print it, and with `--write-load` put it between the page's markers of that name."""

    def write(name: str, text: str) -> None:
        print(f"\n{text}")  # noqa: T201
        if not pytestconfig.getoption("--write-load"):
            return
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = PAGE.read_text(encoding="utf-8").split(begin, 1)
        PAGE.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")

    return write

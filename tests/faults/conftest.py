"""What breaks: judge servers that do as they are told, what the service's metrics say, and what a client sees.

`attack` watches a service while a test does it harm, and notes one finding: a row of the table in
`service/reliability.md`, which `make test-faults` writes.

    def test_headers_without_end(attack, start_process):
        service = start_process()
        with attack(service, "a header of 100 MB", "431, and the connection is closed") as under:
            ...
        assert under.slowest < 0.3
"""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

# Generous, since the machine may be busy with other things; nothing below waits this long when all is well.
PATIENCE = 15.0
# What every fault is held to, with the limits at their defaults. The core suite runs where a machine may be busy.
LIVE_P99, LIVE_SLOWEST, MOST_BYTES = 0.1, 0.3, 1 << 30
BUSY = 5
RECOVERY_SECONDS = 30.0

WATCH = Path(__file__).with_name("watch.py")
PAGE = Path(__file__).resolve().parents[2] / "service" / "reliability.md"

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


class JudgeServer:
    """An OpenAI server of the model `m` in the test's event loop. `reply` and `models` are how it answers."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.answered = 0
        self.asked = asyncio.Event()
        self.gone = asyncio.Event()
        self.headers: list[dict[str, str]] = []
        self._runner: web.AppRunner | None = None
        self.heal()

    def heal(self) -> None:
        """Answer everything, at once."""
        self.reply: Reply = self.stated
        self.models: Reply = self.serves_m
        self.asked.clear()
        self.gone.clear()

    async def start(self) -> None:
        if self._runner is not None:
            return
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def kill(self) -> None:
        """Its connections break, and new ones are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        self.asked.set()
        try:
            reply = await self.reply(request)
        except asyncio.CancelledError:
            self.gone.set()
            raise
        self.answered += 1
        return reply

    async def _models(self, request: web.Request) -> web.StreamResponse:
        return await self.models(request)

    async def serves_m(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": [{"id": "m"}]})

    async def stated(self, request: web.Request) -> web.StreamResponse:
        """Every fact is stated."""
        return web.json_response(_written("".join(f"<info{n}>1</info{n}>" for n in range(1, 20))))

    async def hang(self, request: web.Request) -> web.StreamResponse:
        return await asyncio.Event().wait() or web.Response()

    async def endless(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        while True:
            await reply.write(b" " * 65_536)

    async def packed(self, request: web.Request) -> web.StreamResponse:
        """A small body that unpacks to a large one."""
        return web.Response(body=gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"})

    def slowly(self, seconds: float) -> Reply:
        async def reply(request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            return await self.stated(request)

        return reply

    def says(self, text: str, status: int = 200, **headers: str) -> Reply:
        """Always `text`; underscores in the names of headers stand for hyphens."""

        async def reply(request: web.Request) -> web.StreamResponse:
            spelled = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(status=status, text=text, headers=spelled, content_type="application/json")

        return reply

    def writes(self, content: str) -> Reply:
        """A well-formed reply in which the model says `content`."""
        return self.says(json.dumps(_written(content)))


def _written(content: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "text": content}]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start_judge() -> AsyncIterator[Callable[[], Awaitable[JudgeServer]]]:
    """A factory of judge servers, for the tests of one module."""
    async with AsyncExitStack() as stack:

        async def start() -> JudgeServer:
            server = JudgeServer()
            await server.start()
            stack.push_async_callback(server.kill)
            return server

        yield start


@pytest.fixture(scope="session")
def metric() -> Callable[..., float]:
    """`metric(url, name, **labels)`: the sum of the samples with these labels."""

    def read(url: str, name: str, **labels: str) -> float:
        text = httpx.get(f"{url}/metrics", timeout=PATIENCE).text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        wanted = f"perception_reward_{name}"
        return sum(s.value for s in samples if s.name == wanted and labels.items() <= s.labels.items())

    return read


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """`eventually(condition)`: wait until it holds, for what gives no sign but being asked."""

    def wait(condition: Callable[[], object]) -> None:
        for _ in _attempts():
            if condition():
                return
        raise AssertionError(f"it did not come to pass within {PATIENCE:g} s")

    return wait


def _attempts() -> Iterator[None]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        yield
        time.sleep(0.05)


HARMLESS = {"items": [{"response": "AB = 5", "facts": [{"id": "f", "text": "Segment AB has length 5."}]}]}


@dataclasses.dataclass
class Finding:
    """What one fault did. seconds: of each answer of `/livez`; `bytes`: held above the idle service."""

    fault: str
    sees: str
    recovery: float = math.nan
    seconds: list[float] = dataclasses.field(default_factory=list[float])
    failed: int = 0
    bytes: int = 0

    def percentile(self, share: float) -> float:
        """Seconds in which that share of the answers came; infinite where none came."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else math.inf

    @property
    def slowest(self) -> float:
        return max(self.seconds, default=math.inf)

    def row(self) -> str:
        times = (self.percentile(0.5), self.percentile(0.99), self.slowest)
        live = " / ".join(f"{time * 1000:.0f}" for time in times) + " ms" if self.seconds else "not asked"
        memory = f"{max(self.bytes, 0) / (1 << 20):.0f} MiB"
        return f"| {self.fault} | {self.sees} | {self.recovery:.1f} s | {live} | {memory} |"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-reliability", action="store_true", help="write service/reliability.md from this run")


@pytest.fixture(scope="session")
def findings(pytestconfig: pytest.Config) -> Iterator[list[Finding]]:
    """What was found, in order. Append to it what `attack` cannot watch."""
    found: list[Finding] = []
    yield found
    if pytestconfig.getoption("--write-reliability", default=False):
        PAGE.write_text(reliability_page(found), encoding="utf-8")


def reliability_page(found: list[Finding]) -> str:
    rows = "\n".join(finding.row() for finding in sorted(found, key=lambda finding: finding.fault.lower()))
    return f"""# What faults do

`make test-faults` writes this page. Each row is a fault that was brought about in a real service with its limits at
their defaults: what a client sees of it, the time from its end until a request is answered as ever, how soon `/livez`
answered meanwhile (median / 99th percentile / slowest), and the most memory that the service and its processes held
above what they hold when idle.

| fault | what a client sees | recovery | /livez | memory |
|---|---|---|---|---|
{rows}
"""


@pytest.fixture
def attack(findings: list[Finding], request: pytest.FixtureRequest) -> Callable[..., AbstractContextManager[Finding]]:
    """`with attack(service, fault, sees) as finding:` watches a `ServedProcess` during a fault, and what comes after.

    It ends when a harmless request is answered well, unless the block has set `finding.recovery`, and fails where that
    takes over 30 s, or where the service was slow or large meanwhile: by the limits above under the mark `faults`, by
    five times as much without it. What a client sees can be set in the block, as `finding.sees`. `bounded=False` only
    measures. key: the service's.
    """
    slack = 1 if request.node.get_closest_marker("faults") else BUSY

    @contextmanager
    def under(service: Any, fault: str, sees: str = "", *, bounded: bool = True, key: str = "") -> Iterator[Finding]:
        finding = Finding(fault, sees)
        command = [sys.executable, str(WATCH), service.url, str(service.pid)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as watch:
            assert watch.stdout is not None
            assert watch.stdout.readline() == "watching\n"
            try:
                yield finding
                if math.isnan(finding.recovery):
                    finding.recovery = until_well(service.url, key)
            finally:
                said, _ = watch.communicate("\n")
            vars(finding).update(json.loads(said))
        findings.append(finding)
        if bounded:
            assert finding.percentile(0.99) < LIVE_P99 * slack, finding.row()
            assert finding.slowest < LIVE_SLOWEST * slack, finding.row()
            assert finding.bytes < MOST_BYTES, finding.row()
            assert finding.failed == 0, finding.row()

    return under


def until_well(url: str, key: str = "") -> float:
    """Seconds until a harmless request is scored in full."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    started = time.monotonic()
    while time.monotonic() - started < RECOVERY_SECONDS:
        try:
            answer = httpx.post(f"{url}/v1/score", json=HARMLESS, headers=headers, timeout=RECOVERY_SECONDS)
            if answer.status_code == 200 and answer.json()["results"][0]["status"] == "ok":
                return time.monotonic() - started
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the service was not well {RECOVERY_SECONDS:g} s after the fault")

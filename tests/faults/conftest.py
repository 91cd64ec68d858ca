"""What breaks: judge servers that do as they are told, and what the service's metrics say of it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

# Generous, since the machine may be busy with other things; nothing below waits this long when all is well.
PATIENCE = 15.0

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

"""Servers that fail as they are told, and items to send them."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

Reply = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


def item(number: int = 0, **fields: Any) -> dict[str, Any]:
    """An item that the symbolic judge is sure about."""
    fact = {"id": "f1", "text": "Segment AB has length 5."}
    return {"id": f"r-{number}", "facts": [fact], "response": f"AB = 5, and that is {number}.", **fields}


def result(asked: dict[str, Any], score: float | None = 1.0, reason: str | None = None) -> dict[str, Any]:
    components = dict.fromkeys(("format", "accuracy", "perception", "repetition"))
    return {
        "id": asked.get("id"),
        "status": "missing" if score is None else "ok",
        "score": score,
        "components": components,
        "facts": None,
        "reason": reason,
    }


def answer(results: list[dict[str, Any]], warnings: list[str] | None = None) -> dict[str, Any]:
    counts = dict.fromkeys(("items", "missing", "facts", "cache_hits", "judged"), 0)
    return {
        "profile": "p",
        "judge": "j",
        "results": results,
        "summary": {**counts, "seconds": 0.0, "warnings": warnings or []},
    }


class ScriptedServer:
    """A service in the test's event loop. It answers with the `script`'s replies in turn, and then with `reply`."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.tls: ssl.SSLContext | None = None
        self.script: list[Reply] = []
        self.reply: Reply = self.scores
        self.profiles: Reply = self.says(200, json.dumps({"default": "p", "profiles": [{"name": "p"}, {"name": "q"}]}))
        self.ready: Reply = self.says(200, json.dumps({"ready": True, "checks": {"judge": "ok"}}))
        self.lives = True
        self.warnings: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.checks: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.arrived = asyncio.Event()
        self.gone = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/score", self._score)
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/v1/profiles", self._profiles)
        app.router.add_get("/readyz", self._readyz)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.tls).start()

    async def kill(self) -> None:
        """Connections break, and new ones are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _score(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.headers.append(dict(request.headers))
        body = json.loads(raw)  # aiohttp has decompressed it
        self.asked.append(body)
        self.arrived.set()
        try:
            return await (self.script.pop(0) if self.script else self.reply)(request, body)
        except asyncio.CancelledError:
            self.gone.set()
            raise

    async def _profiles(self, request: web.Request) -> web.StreamResponse:
        self.checks.append(request.path)
        return await self.profiles(request, {})

    async def _readyz(self, request: web.Request) -> web.StreamResponse:
        self.checks.append(request.path)
        self.arrived.set()
        return await self.ready(request, {})

    async def _livez(self, request: web.Request) -> web.StreamResponse:
        return web.Response() if self.lives else await self.hang(request, {})

    async def scores(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(answer([result(item) for item in body["items"]], self.warnings))

    async def misses(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(answer([result(item, None, "judge_timeout") for item in body["items"]]))

    async def hang(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("waited for ever")

    async def breaks_off(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        """Half an answer, and then the connection is gone."""
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"profile": "p", "resu')
        assert request.transport is not None
        request.transport.close()
        return response

    async def drops(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    def says(self, status: int, text: str = "", **headers: str) -> Reply:
        """Always `text`; underscores in the names of headers stand for hyphens."""

        async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            spelled = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(status=status, text=text, headers=spelled)

        return reply

    def refuses(self, status: int, where: str, what: str = "is wrong") -> Reply:
        document = {"title": "t", "status": status, "detail": f"{where}: {what}"}
        return self.says(status, json.dumps({**document, "errors": [{"where": where, "what": what}]}))


@pytest.fixture
async def start_server() -> AsyncIterator[Callable[[], Awaitable[ScriptedServer]]]:
    """A factory of scripted servers."""
    async with AsyncExitStack() as stack:

        async def start() -> ScriptedServer:
            server = ScriptedServer()
            await server.start()
            stack.push_async_callback(server.kill)
            return server

        yield start


@pytest.fixture
async def server(start_server: Callable[[], Awaitable[ScriptedServer]]) -> ScriptedServer:
    return await start_server()


@pytest.fixture
def make_item() -> Callable[..., dict[str, Any]]:
    return item

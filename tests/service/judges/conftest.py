"""Scripted servers over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ScriptedServer:
    """Answers POST requests with `script`, one handler each, the last one for ever after."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.script: list[Handler] = [self.answer]
        self.scoring: Handler = self.status(404)
        self.models: Handler = self._serves
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.arrived = asyncio.Event()
        self.aborted = asyncio.Event()
        self.running = self.most_running = 0
        self._runner: web.AppRunner | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/{path:.*}", self._post)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/generative_scoring", self._score)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _score(self, request: web.Request) -> web.StreamResponse:
        return await self.scoring(request)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        return await self.models(request)

    async def _serves(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": self.model}]})

    async def _post(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.arrived.set()
        try:
            handler = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            return await handler(request)
        except asyncio.CancelledError:
            self.aborted.set()
            raise
        finally:
            self.running -= 1

    async def answer(self, request: web.Request) -> web.Response:
        """Every fact is stated."""
        tags = "".join(f"<info{n}>1</info{n}>" for n in range(1, 50))
        return web.json_response({"choices": [{"index": 0, "text": tags}]})

    async def hang(self, request: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        raise AssertionError

    async def reset(self, request: web.Request) -> web.Response:
        """The connection dies before the answer."""
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def cut(self, request: web.Request) -> web.StreamResponse:
        """The connection dies in the middle of the answer."""
        reply = web.StreamResponse(headers={"Content-Length": "1000"})
        await reply.prepare(request)
        await reply.write(b'{"choices": [')
        assert request.transport is not None
        request.transport.abort()
        return reply

    @staticmethod
    def status(code: int, body: str = "", **headers: str) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            return web.Response(status=code, text=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

        return handler

    @staticmethod
    def json(value: Any) -> Handler:
        return ScriptedServer.status(200, json.dumps(value))


@pytest.fixture
async def start_server() -> AsyncIterator[Callable[..., Awaitable[ScriptedServer]]]:
    servers: list[ScriptedServer] = []

    async def start(model: str = "m") -> ScriptedServer:
        servers.append(ScriptedServer(model))
        await servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def server(start_server: Any) -> ScriptedServer:
    return await start_server()

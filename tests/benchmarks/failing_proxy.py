"""A proxy in front of a judge server that fails one request: once, or whenever it comes back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import aiohttp
from aiohttp import web

Failing = Literal["once", "always"]


class FailingProxy:
    """Answers 500 to the first request that asks for a judgement; under `always`, to every repetition of it too."""

    def __init__(self, target: str, failing: Failing) -> None:
        self._target = target
        self._failing = failing
        self._chosen: bytes | None = None
        self.failed = 0

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self._fails(request, body):
            self.failed += 1
            return web.json_response({"error": {"message": "the proxy fails this request"}}, status=500)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None)) as session,
            session.request(request.method, self._target + request.path_qs, data=body, headers=_headers(request)) as it,
        ):
            return web.Response(status=it.status, body=await it.read(), content_type=it.content_type)

    def _fails(self, request: web.Request, body: bytes) -> bool:
        if request.method != "POST":
            return False
        if self._chosen is None:
            self._chosen = body
            return True
        return self._failing == "always" and body == self._chosen


def _headers(request: web.Request) -> dict[str, str]:
    return {"Content-Type": request.headers.get("Content-Type", "application/json")}


@contextmanager
def failing_proxy(target: str, failing: Failing) -> Iterator[tuple[str, FailingProxy]]:
    """(its URL, the proxy), in a thread of its own."""
    proxy, loop, ready = FailingProxy(target, failing), asyncio.new_event_loop(), threading.Event()
    urls: list[str] = []

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        urls.append(f"http://{host}:{port}")
        return runner

    def run() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield urls[0], proxy
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

"""What happens before a request is read: it is counted and held to the size limit. Pure ASGI."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from perception_reward.service import tracing
from perception_reward.service.admission import Admission
from perception_reward.service.api.key_check import METRICS_PATH, OPEN_PATHS
from perception_reward.service.api.problems import problem
from perception_reward.service.metrics import Metrics

logger = logging.getLogger("perception_reward.service.api")

# Characters of a path in the log.
MOST_PATH = 200
# A refusal waits this long, in seconds, for the rest of a body that nobody wants.
DISCARD_SECONDS = 10.0


class Telemetry:
    """Counts and times every request, logs it, and refuses new ones once the service drains."""

    def __init__(self, app: ASGIApp, metrics: Metrics, admission: Admission) -> None:
        self._app = app
        self._metrics = metrics
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._admission.draining and scope["path"] not in OPEN_PATHS:
            self._metrics.refused("draining")
            # A connection closed on a body that nobody has read is reset, and the refusal is lost with it.
            with self._until_stopped():
                await _discard_body(receive)
            await _stopping()(scope, receive, send)
            return
        # The request's time runs from here: a body that trickles in takes its own.
        scope.setdefault("state", {})["arrived"] = asyncio.get_running_loop().time()
        status = 499  # nginx's code for a client that went away before it was answered
        started = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._admission.request(), _traced(scope) as tell:
            try:
                with self._until_stopped():
                    await self._app(scope, receive, watched)
                if self._admission.stopped and status == 499:
                    await _stopping()(scope, receive, watched)
            except Exception:
                status = 500
                raise
            finally:
                self._report(scope, status, time.perf_counter() - started)
                tell(status=status, route=_route(scope), **scope.get("state", {}).get("log", {}))

    @contextmanager
    def _until_stopped(self) -> Generator[None]:
        """What the end of the service cancels ends here: that is no error, and its client is told."""
        try:
            yield
        except asyncio.CancelledError:
            if not self._admission.stopped:
                raise

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self._metrics.answered(route, scope["method"], status, seconds)
        state = scope.get("state", {})
        attached = {"seconds": round(seconds, 4), **state.get("log", {})}
        if (key := state.get("key")) is not None and key.name is not None:
            attached["key"] = key.name
        level = logging.DEBUG if route in OPEN_PATHS or route == METRICS_PATH else logging.INFO
        if status == 401:  # whose job has a wrong key, or who knocks: the route is not known yet
            level = logging.WARNING
            attached |= {"path": scope["path"][:MOST_PATH], "client": _address(scope)}
        logger.log(level, "%s %s %d", scope["method"], route, status, extra=attached)


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "unknown")


def _traced(scope: Scope) -> AbstractContextManager[Callable[..., None]]:
    if scope["path"] in OPEN_PATHS or scope["path"] == METRICS_PATH:
        return nullcontext(tracing.untold)
    return tracing.request_span(f"{scope['method']} request", Headers(scope=scope))


def _address(scope: Scope) -> str:
    host, port = scope.get("client") or ("unknown", 0)
    return f"{host}:{port}"


def _stopping() -> Response:
    headers = {"Retry-After": "1", "Connection": "close"}
    return problem(503, "the service is stopping; try another replica", headers=headers)


async def _discard_body(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while has_more(await receive()):
                pass


def has_more(message: Message) -> bool:
    """Whether more of the body follows this part of it."""
    return message["type"] == "http.request" and message.get("more_body", False)


class BodyLimit:
    """Refuses bodies over `limit` bytes with 413: by their announced length at once, else when they pass it.

    One that has not arrived `seconds` after its request is refused with 408.
    """

    def __init__(self, app: ASGIApp, limit: int, seconds: float, metrics: Metrics) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > self._limit:
            self._metrics.refused("too_large")
            await problem(413, self._detail)(scope, receive, send)
            return
        read, whole = 0, False
        due = asyncio.get_running_loop().time() + self._seconds

        async def bounded() -> Message:
            nonlocal read, whole
            if whole:  # what is awaited now is the client's leaving
                return await receive()
            try:
                async with asyncio.timeout_at(due):
                    message = await receive()
            except TimeoutError:
                self._metrics.refused("too_slow")
                raise HTTPException(408, self._late, headers={"Connection": "close"}) from None
            whole = not has_more(message)
            read += len(message.get("body", b""))
            if read > self._limit:
                self._metrics.refused("too_large")
                raise HTTPException(413, self._detail)
            return message

        await self._app(scope, bounded, send)

    @property
    def _late(self) -> str:
        return (
            f"the body had not arrived after {self._seconds:g} s; send fewer items a request, or raise request_timeout"
        )

    @property
    def _detail(self) -> str:
        return f"the body is over {self._limit >> 20} MiB; send fewer items a request, or raise max_body_mb"

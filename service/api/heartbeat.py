"""Signs of life while a request is scored: an answer that takes long begins with white space. Pure ASGI.

    X-Heartbeat: 5

A request for scores with this header, from a client or from a proxy that adds it, gets a space every so many seconds
once its body is there, and then its JSON, which may begin with white space. So a proxy, a load balancer or a client can
tell a replica that takes its time from one that has hung: their time-outs count from the latest byte.

The status is sent with the first space and is 200. Where there is another one after all, the answer is broken
off, and nobody takes it for a whole one.
"""

from __future__ import annotations

import asyncio
import logging
import math

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from perception_reward.service.api.middleware import has_more

logger = logging.getLogger(__name__)

HEADER = "X-Heartbeat"
# Seconds between two signs: less would be noise, and more than a proxy waits.
SOONEST, LATEST = 1.0, 60.0
# nginx holds back what is little, unless it is told otherwise.
HEADERS = ((b"content-type", b"application/json"), (b"x-accel-buffering", b"no"))


class Heartbeat:
    """Outside of what counts requests, so that the status that the app gave is counted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = _wanted(scope)
        if seconds is None:
            await self._app(scope, receive, send)
            return
        whole = asyncio.Event()

        async def received() -> Message:
            message = await receive()
            if not has_more(message):
                whole.set()
            return message

        answer = _Answer(send, seconds)
        beating = asyncio.create_task(answer.beat(whole))
        try:
            await self._app(scope, received, answer.send)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


class _Answer:
    """What is sent: the app's own, behind the white space that came before it."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self._begun = False
        self._status: int | None = None

    async def beat(self, whole: asyncio.Event) -> None:
        """Say something every so often, until the app does."""
        await whole.wait()
        while True:
            await asyncio.sleep(self._seconds)
            if self._status is not None:
                return
            if not self._begun:
                self._begun = True
                await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            if self._status is None:  # what was awaited may have let the app begin
                await self._send({"type": "http.response.body", "body": b" ", "more_body": True})

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._begun:
                if self._status != 200:
                    logger.warning("an answer that had begun was broken off: its status is %d", self._status)
                return
        elif self._begun and self._status != 200:
            return
        await self._send(message)


def _wanted(scope: Scope) -> float | None:
    """Seconds between two signs of life; None where none are asked for."""
    if scope["type"] != "http" or scope["path"] != "/v1/score":
        return None
    try:
        seconds = float(Headers(scope=scope).get(HEADER, ""))
    except ValueError:
        return None
    return min(max(seconds, SOONEST), LATEST) if math.isfinite(seconds) else None

"""Serving: uvicorn, with a stop that loses no answer.

On SIGTERM or SIGINT the service drains: `/readyz` turns false and new requests get 503 with Retry-After, so that
callers turn to another replica, while the requests under way finish. Then the listening socket is closed. A second
signal ends it at once. SIGHUP reads the annotations again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Generator
from types import FrameType

import uvicorn

from perception_reward.annotations.store import StoreError
from perception_reward.service.app import make_app
from perception_reward.service.assembly import Service

logger = logging.getLogger(__name__)

# Connections that wait to be accepted when the last request has ended are still answered (503) for this long.
LINGER_SECONDS = 0.25


class DrainingServer(uvicorn.Server):
    """A uvicorn server that drains before it closes its sockets."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._draining: asyncio.Task[None] | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._started = time.monotonic()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so only now: whoever reads it may send signals and requests at once."""
        await super().startup(sockets)
        where = {"address": address(sockets[0])} if sockets else {}
        store = await self._service.store_health()
        judge = self._service.judge.info.name
        logger.info("listening", extra={**where, "judge": judge, "annotations": store.detail})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is open, and leave a last line: without one, nobody can tell an end from a crash."""
        await super().shutdown(sockets)
        seconds = round(time.monotonic() - self._started, 1)
        logger.info("stopped", extra={"requests": self.server_state.total_requests, "seconds": seconds})

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle signals in the event loop, where a drain can wait; uvicorn's own handlers stop at once."""
        loop = asyncio.get_running_loop()
        handled = (signal.SIGTERM, signal.SIGINT)
        for number in handled:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        try:
            yield
        finally:
            for number in (*handled, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._draining is not None:
            self.should_exit = self.force_exit = True
            return
        self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        admission = self._service.admission
        admission.draining = True
        logger.info("stopping; requests under way finish first", extra={"requests": admission.requests})
        try:
            async with asyncio.timeout(self._service.settings.drain_timeout):
                await admission.drained()
                await asyncio.sleep(LINGER_SECONDS)
                await admission.drained()
        except TimeoutError:
            logger.warning("stopped with requests under way", extra={"requests": admission.requests})
        self.should_exit = True

    def _reload(self) -> None:
        self._reloading = asyncio.create_task(self._read_again())

    async def _read_again(self) -> None:
        try:
            await self._service.store.reload()
            count = await self._service.count_annotations()
            await self._service.tell_annotations()
        except (StoreError, OSError, ValueError) as error:
            logger.error("annotations were not read again; those loaded before stay: %s", error)
        else:
            logger.info("annotations read again", extra={"annotations": count})


def make_server(service: Service) -> DrainingServer:
    settings = service.settings
    config = uvicorn.Config(
        make_app(service),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        # Trainers keep connections between steps, and a step takes minutes.
        timeout_keep_alive=300,
        timeout_graceful_shutdown=5,
    )
    return DrainingServer(config, service)


def address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

"""Serving: uvicorn, with a stop that loses no answer.

On SIGTERM or SIGINT the service drains: `/readyz` turns false and new requests get 503 with Retry-After, so that
callers turn to another replica, while the requests under way finish. Then the listening socket is closed. A second
signal, or the end of `drain_timeout`, answers what is still under way with 503. SIGHUP reads the annotations again,
and so does a change of their files.

Connections are accepted by `api/listener.py`, within the bounds of `api/connections.py`, and spoken with by
`api/connection.py`.
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
from perception_reward.service.api.connection import Connection
from perception_reward.service.api.connections import Places
from perception_reward.service.api.listener import ENOUGH_CONNECTIONS, Listener, bounds
from perception_reward.service.app import make_app
from perception_reward.service.assembly import Service

logger = logging.getLogger(__name__)

# Connections that wait to be accepted when the last request has ended are still answered (503) for this long.
LINGER_SECONDS = 0.25
# An answer that is being written when the sockets close may be written for this long.
GRACE_SECONDS = 5.0
# What is cut off then has this long to be told so.
FAREWELL_SECONDS = 1.0


class DrainingServer(uvicorn.Server):
    """A uvicorn server that drains before it closes its sockets."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._listeners: list[Listener] = []
        self._draining: asyncio.Task[None] | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._started = time.monotonic()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so only now: whoever reads it may send signals and requests at once."""
        sockets = sockets or [self.config.bind_socket()]
        bound = bounds(self._service.settings)
        if bound.most < ENOUGH_CONNECTIONS:
            logger.warning(
                "few connections can be open at once; a large trainer wants %d: raise the limit of open files "
                "(ulimit -n, LimitNOFILE) or max_connections",
                ENOUGH_CONNECTIONS,
                extra={"connections": bound.most, "open_files": bound.descriptors},
            )
        places = Places(bound.most, bound.most_per_address)
        metrics = self._service.metrics

        def connect(address: str) -> Connection:
            return Connection(self.config, self.server_state, address=address, places=places, metrics=metrics)

        self._listeners = [Listener(listener, places, metrics, connect) for listener in sockets]
        self.started = True
        store = await self._service.store_health()
        judge = self._service.judge.info.name
        where = {"address": address(sockets[0])}
        logger.info("listening", extra={**where, "judge": judge, "annotations": store.detail})

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle signals in the event loop, where a drain can wait; uvicorn's own handlers stop at once."""
        loop = asyncio.get_running_loop()
        handled = (signal.SIGTERM, signal.SIGINT)
        for number in handled:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        watching = asyncio.ensure_future(self._watch(self._service.settings.annotations_watch))
        try:
            yield
        finally:
            watching.cancel()
            for number in (*handled, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._draining is not None:
            self.should_exit = self.force_exit = True
            return
        self._draining = asyncio.create_task(self._drain())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what listens and what is idle; what is not over in time, or at a second signal, gets 503.

        It leaves a last line: without one, nobody can tell an end from a crash.
        """
        for listener in self._listeners:
            listener.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        await self._quiet(GRACE_SECONDS, unless_forced=True)
        self._service.admission.stopped = True
        for connection in self._connections():
            connection.cut_off()
        for task in tuple(self.server_state.tasks):
            task.cancel()
        await self._quiet(FAREWELL_SECONDS)
        for connection in self._connections():
            connection.transport.abort()
        seconds = round(time.monotonic() - self._started, 1)
        logger.info("stopped", extra={"requests": self.server_state.total_requests, "seconds": seconds})

    def _connections(self) -> list[Connection]:
        return [one for one in self.server_state.connections if isinstance(one, Connection)]

    async def _quiet(self, seconds: float, *, unless_forced: bool = False) -> None:
        """Wait until nothing is open or under way, but no longer than that."""
        until = time.monotonic() + seconds
        state = self.server_state
        while (state.connections or state.tasks) and time.monotonic() < until:
            if unless_forced and self.force_exit:
                return
            await asyncio.sleep(0.02)

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

    def _read_keys(self) -> None:
        keyring = self._service.keyring
        try:
            keyring.reload()
        except (OSError, ValueError) as error:
            logger.error("keys were not read again; those read before stay: %s", error)
            return
        logger.info("keys read again", extra={"keys": ",".join(keyring.names)})

    def _reload(self) -> None:
        if self._service.settings.api_keys_file is not None:
            self._read_keys()
        self._reloading = asyncio.create_task(self._read_again())

    async def _watch(self, seconds: float) -> None:
        """Read the annotations again where their files have changed; a version with a fault is told once."""
        while seconds:
            await asyncio.sleep(seconds)
            if self._service.keyring.changed():
                self._read_keys()
            with contextlib.suppress(OSError):  # a folder that is away for a moment, as when it is mounted anew
                if await self._service.store.changed():
                    await self._read_again()

    async def _read_again(self) -> None:
        try:
            await self._service.store.reload()
            count = await self._service.count_annotations()
        except (StoreError, OSError, ValueError) as error:
            logger.error("annotations were not read again; those loaded before stay: %s", error)
            return
        logger.info("annotations read again", extra={"annotations": count})
        try:
            await self._service.tell_annotations()
        except StoreError as error:
            logger.error("annotations were read again and cannot be used: %s", error)


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
        ws="none",
        # Trainers keep connections between steps, and a step takes minutes.
        timeout_keep_alive=300,
    )
    return DrainingServer(config, service)


def address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

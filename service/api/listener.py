"""Accepting connections within what the process may open, so that it can never run out of descriptors by them."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from perception_reward.service.api.connection import Connection, refusal
from perception_reward.service.api.connections import SWEEP_SECONDS, Places, address_of
from perception_reward.service.metrics import Metrics
from perception_reward.service.settings import Settings

logger = logging.getLogger(__name__)

# Accepted in one turn of the event loop; the rest waits in the kernel's queue for the next.
AT_ONCE = 32
PAUSE_SECONDS = 0.05
# A fault that lasts is logged this often.
SAID_EVERY_SECONDS = 30.0

# Descriptors kept for the service itself: files, Redis, its judge, and some for each worker.
RESERVE, RESERVE_PER_WORKER = 128, 4
MOST_CONNECTIONS = 8192
# What one large trainer needs: 64 processes with 16 connections each, and as much again.
ENOUGH_CONNECTIONS = 2048

NO_PLACE = refusal(503, "no connection is free: all are being served")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections may be open, in all and from one address, under a limit of so many descriptors."""

    most: int
    most_per_address: int
    descriptors: int


def bounds(settings: Settings) -> Bounds:
    """As the settings say, or else from the limit of descriptors, which is raised as far as the process may.

    One address gets three quarters: a whole cluster can stand behind one, and yet somebody else should get in.
    """
    descriptors = _raised_limit()
    servers = 1 + settings.judge.count(",") if ":" in settings.judge else 0
    reserve = RESERVE + RESERVE_PER_WORKER * settings.workers + settings.judge_concurrency * servers
    free = max(descriptors - reserve, descriptors // 2)
    most = min(settings.max_connections or MOST_CONNECTIONS, free)
    most_per_address = min(settings.max_connections_per_address or max(most * 3 // 4, 1), most)
    return Bounds(most, most_per_address, descriptors)


def _raised_limit() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # a system can refuse its own hard limit, as macOS does
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return MOST_CONNECTIONS * 4 if soft == resource.RLIM_INFINITY else soft


class Listener:
    """Accepts on a bound socket, as `loop.create_server` would, but never more than there are places.

    connect: makes the protocol of a connection from an address.
    """

    def __init__(
        self, listener: socket.socket, places: Places, metrics: Metrics, connect: Callable[[str], Connection]
    ) -> None:
        self._socket = listener
        self._places = places
        self._metrics = metrics
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        self._said = -SAID_EVERY_SECONDS
        self._open = True
        listener.setblocking(False)
        self._resume()
        self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def close(self) -> None:
        """Accept nothing more. What was accepted stays open."""
        if self._open:
            self._open = False
            self._sweeping.cancel()
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    async def wait_closed(self) -> None: ...

    def _resume(self) -> None:
        if self._open:
            self._loop.add_reader(self._socket.fileno(), self._accept)

    def _sweep(self) -> None:
        self._places.sweep()
        self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            connection.setblocking(False)
            address = address_of(peer)
            if not self._places.enter(address):
                self._turn_away(connection)
                continue
            task = self._loop.create_task(self._serve(connection, address))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _serve(self, connection: socket.socket, address: str) -> None:
        protocol: Connection | None = None

        def made() -> Connection:
            nonlocal protocol
            protocol = self._connect(address)
            return protocol

        try:
            await self._loop.connect_accepted_socket(made, connection)
        except OSError:
            connection.close()
            if protocol is None:
                self._places.leave(address)

    def _turn_away(self, connection: socket.socket) -> None:
        self._metrics.refused("no_connection")
        self._say("connections are turned away: all that may be open are being served")
        with connection, suppress(OSError):
            connection.send(NO_PLACE)
            connection.shutdown(socket.SHUT_WR)

    def _pause(self, error: OSError) -> None:
        """No descriptor is left, say. Whoever waits longest gives one back, and the kernel keeps the others waiting."""
        self._say("connections cannot be accepted: %s", error.strerror)
        self._places.make_room()
        self._loop.remove_reader(self._socket.fileno())
        self._loop.call_later(PAUSE_SECONDS, self._resume)

    def _say(self, words: str, *values: object) -> None:
        now = time.monotonic()
        if now - self._said >= SAID_EVERY_SECONDS:
            self._said = now
            logger.warning(words, *values)

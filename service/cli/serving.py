"""Serving from the command line: the socket, and what answers at it."""

from __future__ import annotations

import socket

from perception_reward.service.assembly import Service
from perception_reward.service.garbage import collected_when_idle
from perception_reward.service.server import DrainingServer, make_server
from perception_reward.service.settings import Settings


def listen(settings: Settings) -> socket.socket:
    """The bound socket; OSError says which address is taken and what to do."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        address = f"{settings.host}:{settings.port}"
        raise OSError(
            f"cannot listen on {address}: {error.strerror}; choose another --port, or 0 for a free one"
        ) from None
    # Accepted connections inherit it. asyncio would set it only on sockets of a named protocol, and without it an
    # answer on a kept connection waits 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def serve(service: Service, listener: socket.socket) -> DrainingServer:
    """Serve on `listener` until a signal ends it."""
    server = make_server(service)
    async with collected_when_idle(service.admission):
        await server.serve(sockets=[listener])
    return server

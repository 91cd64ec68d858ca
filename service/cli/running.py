"""Running the server from the command line: one line for what goes wrong before it listens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

from perception_reward.annotations.store import StoreError
from perception_reward.service.assembly import PRELOAD, Service, assemble
from perception_reward.service.cli.options import fail, reason
from perception_reward.service.garbage import collect_when_idle
from perception_reward.service.processes.handles import WorkersUnavailable
from perception_reward.service.server import DrainingServer, make_server
from perception_reward.service.settings import Settings, SettingsError


def run_or_exit(
    settings: Settings, main: Callable[[Service], Awaitable[None]], *, preload: Sequence[str] = PRELOAD
) -> None:
    """Assemble and start the service, run `main` in it, and stop it. preload: what its workers import first."""

    async def started() -> None:
        service = assemble(settings, preload=preload)
        async with service.running():
            await main(service)

    try:
        asyncio.run(started())
    except SettingsError as error:
        fail(str(error), status=2)
    except (StoreError, WorkersUnavailable, OSError) as error:
        fail(reason(error))
    except KeyboardInterrupt:
        fail("stopped", status=130)


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
    collecting = asyncio.create_task(collect_when_idle(service.admission))
    try:
        await server.serve(sockets=[listener])
    finally:
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)
    return server

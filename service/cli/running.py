"""Running the service's parts from the command line, and serving: one line for what goes wrong."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from perception_reward.annotations.store import StoreError
from perception_reward.service.cli.options import fail, reason
from perception_reward.service.processes.handles import WorkersUnavailable
from perception_reward.service.settings import Settings, SettingsError
from perception_reward.trainer_client.errors import RewardError

if TYPE_CHECKING:
    from perception_reward.service.assembly import Service
    from perception_reward.service.server import DrainingServer


def run_or_exit(
    settings: Settings, main: Callable[[Service], Awaitable[None]], *, preload: Sequence[str] | None = None
) -> None:
    """Assemble and start the service, run `main` in it, and stop it. preload: what its workers import first; if
    None, what a job with the profile of `settings` needs."""

    async def run() -> None:
        async with started(settings, preload=preload) as service:
            await main(service)

    with told_or_exit():
        asyncio.run(run())


@asynccontextmanager
async def started(settings: Settings, *, preload: Sequence[str] | None = None) -> AsyncGenerator[Service]:
    """The service's parts, running."""
    # Here, because a command that leaves the work to other processes need not import what they do.
    from perception_reward.service.assembly import assemble, preload_of

    service = assemble(settings, preload=preload_of(settings) if preload is None else preload)
    async with service.running():
        yield service


@contextmanager
def told_or_exit(*also: type[Exception], status: int = 1) -> Generator[None]:
    """End the command with one line for what may go wrong with files, stores and settings, and in a service.

    also: other errors that are the input's here, and not the program's.
    """
    try:
        yield
    except SettingsError as error:
        fail(str(error), status=2)
    except (StoreError, WorkersUnavailable, RewardError, *also) as error:
        fail(reason(error), status=status)
    except OSError as error:
        fail("there is no space left on the disk" if error.errno == errno.ENOSPC else reason(error), status=status)
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("stopped", status=130)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Generator[None]:
    """The first Ctrl-C, or SIGTERM, calls `stop`, which lets what is under way end; the second cancels the task."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    stopping = False

    def caught() -> None:
        nonlocal stopping
        if stopping and task is not None:
            task.cancel()
            return
        stopping = True
        stop()

    handled: list[signal.Signals] = []
    for one in (signal.SIGINT, signal.SIGTERM):
        # Only the main thread may.
        with suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(one, caught)
            handled.append(one)
    try:
        yield
    finally:
        for one in handled:
            loop.remove_signal_handler(one)


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
    # Here, because only two commands serve.
    from perception_reward.service.garbage import collected_when_idle
    from perception_reward.service.server import make_server

    server = make_server(service)
    async with collected_when_idle(service.admission):
        await server.serve(sockets=[listener])
    return server

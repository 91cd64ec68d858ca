"""Running the service's parts from the command line: one line for what goes wrong."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from perception_reward.annotations.store import StoreError
from perception_reward.service.cli.options import fail, reason
from perception_reward.service.processes.handles import WorkersUnavailable
from perception_reward.service.settings import Settings, SettingsError
from perception_reward.trainer_client.errors import RewardError

if TYPE_CHECKING:
    from perception_reward.service.assembly import Service


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
def told_or_exit() -> Generator[None]:
    """End the command with one line for what may go wrong in a service, or on the way to one."""
    try:
        yield
    except SettingsError as error:
        fail(str(error), status=2)
    except (StoreError, WorkersUnavailable, RewardError) as error:
        fail(str(error))
    except OSError as error:
        fail("there is no space left on the disk" if error.errno == errno.ENOSPC else reason(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("stopped", status=130)

"""`perception-reward serve`."""

from __future__ import annotations

from perception_reward.service import logs
from perception_reward.service.assembly import Service
from perception_reward.service.cli import running
from perception_reward.service.cli.options import with_settings
from perception_reward.service.settings import Settings


@with_settings
def serve(settings: Settings) -> None:
    """Serve the HTTP API until SIGTERM or Ctrl-C; requests under way are finished first."""
    logs.configure(settings.log_level, as_json=settings.log_json)

    async def main(service: Service) -> None:
        with running.listen(settings) as listener:
            await running.serve(service, listener)

    running.run_or_exit(settings, main)

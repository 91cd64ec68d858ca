"""`perception-reward serve`."""

from __future__ import annotations

import logging

from perception_reward.service import logs, tracing
from perception_reward.service.assembly import PRELOAD, Service
from perception_reward.service.audit.last import concern
from perception_reward.service.cli import running
from perception_reward.service.cli.options import fail, with_settings
from perception_reward.service.settings import Settings

logger = logging.getLogger(__name__)


@with_settings(*Settings.model_fields)
def serve(settings: Settings) -> None:
    """Serve the HTTP API until SIGTERM or Ctrl-C; requests under way are finished first."""
    logs.configure(settings.log_level, as_json=settings.log_json)

    async def main(service: Service) -> None:
        if (line := concern(service.last_audit, service.judge.info)) is not None:
            logger.warning(line)
        with running.listen(settings) as listener:
            await running.serve(service, listener)

    try:
        with tracing.running():
            running.run_or_exit(settings, main, preload=PRELOAD)
    except tracing.TracingError as error:
        fail(str(error))

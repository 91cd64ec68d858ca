"""What every command that writes a file does first: `--force`, and the rule of `annotations.outputs` in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.outputs import OutputRefused, check_json_lines, check_outputs
from perception_reward.service.cli.options import fail
from perception_reward.service.settings import Settings, is_redis_url

Force = Annotated[bool, typer.Option("--force", help="Replace files that exist; one that is read is never replaced.")]


def outputs_or_exit(
    *outs: Path | None,
    read: Iterable[Path | str | None],
    force: bool,
    keep: bool = False,
    json_lines: bool = True,
) -> None:
    """End the command with one line and status 2 where one of `outs` must not be written.

    read: the files that the command reads. keep: as for `outputs.written`. json_lines: what is written is that.
    """
    named = [out for out in outs if out is not None]
    try:
        if json_lines:
            check_json_lines(*named)
        sources = [Path(source) for source in read if source is not None and not is_redis_url(str(source))]
        check_outputs(named, read=sources, replace=force, keep=keep)
    except OutputRefused as error:
        fail(str(error), status=2)


def read_by(settings: Settings) -> Iterator[Path | str | None]:
    """The files that the service's parts read."""
    yield from settings.annotations
    yield from (settings.profiles, settings.judge_config, settings.judge_calibration, settings.audit)

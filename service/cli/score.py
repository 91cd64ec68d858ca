"""`perception-reward score`: a file of items to a file of results, by the scorer that also serves HTTP."""

from __future__ import annotations

import os
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from perception_reward.service import logs
from perception_reward.service.assembly import Service
from perception_reward.service.cli.options import with_settings
from perception_reward.service.cli.rollouts import count_or_exit, good_items, responses
from perception_reward.service.cli.running import run_or_exit
from perception_reward.service.settings import Settings
from perception_reward.trainer_client.wire import ItemResult


@with_settings
def score(
    settings: Settings,
    items: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="JSON Lines, an item of POST /v1/score a line."),
    ],
    results: Annotated[Path, typer.Argument(dir_okay=False, help="Where results go: a line for each item, in order.")],
    step: Annotated[int | None, typer.Option(min=0, help="Training step, for profiles with a schedule.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Score the good lines although others cannot be read.")
    ] = False,
) -> None:
    """Score saved rollouts from a file, without a server.

    Lines that cannot be read are all told before anything is scored. Results are written to RESULTS.part, which
    becomes RESULTS when the last item is scored.
    """
    logs.configure("warning", as_json=settings.log_json)
    total = count_or_exit(items, skip_bad=skip_bad)

    async def main(service: Service) -> None:
        missing = await _score_file(service, items, results, total, step)
        Console(stderr=True).print(f"{total} items scored to {results}; {missing} missing", highlight=False)

    run_or_exit(settings, main)


async def _score_file(service: Service, items: Path, results: Path, total: int, step: int | None) -> int:
    """Score batch by batch; the number of items whose score is missing."""
    missing = 0
    part = results.with_name(results.name + ".part")
    with (
        part.open("w", encoding="utf-8") as out,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("scoring", total=total)
        async with aclosing(responses(service, good_items(items), step)) as answers:
            async for answer in answers:
                out.writelines(_line(result) for result in answer.results)
                missing += answer.summary.missing
                progress.advance(task, answer.summary.items)
    os.replace(part, results)
    return missing


def _line(result: ItemResult) -> str:
    return result.model_dump_json() + "\n"

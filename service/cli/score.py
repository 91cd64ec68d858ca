"""`perception-reward score`: a file of items to a file of results, by the scorer that also serves HTTP."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress

from perception_reward.service import logs
from perception_reward.service.api.body import parse
from perception_reward.service.api.problems import where
from perception_reward.service.assembly import Service
from perception_reward.service.cli.options import fail, with_settings
from perception_reward.service.cli.running import run_or_exit
from perception_reward.service.settings import Settings
from perception_reward.trainer_client.wire import ItemResult, ScoreItem, ScoreRequest

T = TypeVar("T")

# Items scored together: enough to fill the judge, few enough that progress shows and little is lost by a Ctrl-C.
BATCH = 512
# Faulty lines shown; their number is told besides.
MOST_FAULTS = 20


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
    faults = [fault for _, fault in _read(items) if isinstance(fault, str)]
    if faults:
        shown = faults[:MOST_FAULTS] + (
            [f"… and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        )
        for line in shown:
            typer.echo(line, err=True)
        if not skip_bad:
            fail(f"{len(faults)} lines cannot be scored; mend them, or pass --skip-bad", status=2)
    total = sum(isinstance(item, ScoreItem) for _, item in _read(items))
    if total == 0:
        fail(f"{items} holds no item to score", status=2)

    async def main(service: Service) -> None:
        missing = await _score_file(service, items, results, total, step)
        Console(stderr=True).print(f"{total} items scored to {results}; {missing} missing", highlight=False)

    run_or_exit(settings, main)


def _read(path: Path) -> Iterator[tuple[int, ScoreItem | str]]:
    """(line number, item or what is wrong with it)."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield number, ScoreItem.model_validate(parse(line.removeprefix(b"\xef\xbb\xbf")))
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                message = first["msg"].removeprefix("Value error, ")
                yield (
                    number,
                    f"{path.name} line {number}: {where(first['loc']) if first['loc'] else 'item'}: {message}",
                )
            except ValueError as error:
                yield number, f"{path.name} line {number}: not JSON: {error}"


async def _score_file(service: Service, items: Path, results: Path, total: int, step: int | None) -> int:
    """Score batch by batch; the number of items whose score is missing."""
    missing = 0
    part = results.with_name(results.name + ".part")
    good = (item for _, item in _read(items) if isinstance(item, ScoreItem))
    with (
        part.open("w", encoding="utf-8") as out,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("scoring", total=total)
        for batch in _batches(good, BATCH):
            deadline = asyncio.get_running_loop().time() + service.settings.request_timeout
            response = await service.scorer.score(ScoreRequest(items=batch, step=step), deadline)
            out.writelines(_line(result) for result in response.results)
            missing += response.summary.missing
            progress.advance(task, len(batch))
    os.replace(part, results)
    return missing


def _line(result: ItemResult) -> str:
    return result.model_dump_json() + "\n"


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch

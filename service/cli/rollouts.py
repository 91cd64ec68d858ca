"""Saved rollouts on the command line: what is wrong with a file in words, and its items scored batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import typer

from perception_reward.annotations.faults import RecordFileError
from perception_reward.service.assembly import Service
from perception_reward.service.batch.rollouts import RolloutFile, Survey
from perception_reward.service.cli.options import fail, reason
from perception_reward.trainer_client.wire import ScoreItem, ScoreRequest, ScoreResponse

T = TypeVar("T")

# Items scored together: enough to fill the judge, few enough that progress shows and little is lost by a Ctrl-C.
BATCH = 512
# The label of these items in logs: what a run is told, it is told once.
RUN = "rollouts"
WHAT = "Rollouts: JSON Lines, a JSON array, CSV or Parquet (gzip too), with the fields of an item of POST /v1/score."


def rollouts_or_exit(path: Path, *, skip_bad: bool) -> tuple[RolloutFile, Survey]:
    """The file and what it holds. Faulty records are told; they end the command unless `skip_bad`, as no item does."""
    try:
        file = RolloutFile(path)
        survey = file.survey()
    except (RecordFileError, OSError) as error:
        fail(reason(error), status=2)
        raise AssertionError from None
    for line in survey.faults:
        typer.echo(line, err=True)
    if survey.faulty > len(survey.faults):
        typer.echo(f"… and {survey.faulty - len(survey.faults)} more", err=True)
    if survey.faulty and not skip_bad:
        fail(f"{survey.faulty} of them cannot be scored; mend them, or pass --skip-bad", status=2)
    if survey.good == 0:
        fail(f"{path} holds no item to score", status=2)
    for warning in survey.warnings():
        typer.secho(f"warning: {warning}", err=True, fg=typer.colors.YELLOW)
    return file, survey


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


async def respond(
    service: Service, items: list[ScoreItem], step: int | None, prefix: str | None = None
) -> ScoreResponse:
    """The answer to one batch."""
    deadline = asyncio.get_running_loop().time() + service.settings.request_timeout
    return await service.scorer.score(ScoreRequest(items=items, step=step, run=RUN, prefix=prefix), deadline)


async def responses(service: Service, items: Iterable[ScoreItem], step: int | None) -> AsyncGenerator[ScoreResponse]:
    """The answers to the items, a batch at a time and in order."""
    for batch in batches(items):
        yield await respond(service, batch, step)

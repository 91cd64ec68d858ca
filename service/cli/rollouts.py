"""Saved rollouts on the command line: what is wrong with a file in words, and its items scored batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from perception_reward.service.batch.rollouts import RolloutFile, Survey
from perception_reward.service.batch.scorings import RUN
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.running import told_or_exit
from perception_reward.trainer_client.wire import ScoreItem, ScoreRequest, ScoreResponse

if TYPE_CHECKING:
    from perception_reward.service.assembly import Service

T = TypeVar("T")

# Items scored together: enough to fill the judge, few enough that progress shows.
BATCH = 512
WHAT = "Rollouts: a file that `perception-reward score` reads."


def rollouts_or_exit(path: Path, *, skip_bad: bool) -> tuple[RolloutFile, Survey]:
    """The file and what it holds. Faulty records are told; they end the command unless `skip_bad`, as no item does."""
    with told_or_exit(status=2):
        file = RolloutFile(path)
        survey = file.survey()
    tell_survey(survey, skip_bad=skip_bad)
    if survey.good == 0:
        fail(f"{path} holds no item to score", status=2)
    return file, survey


def tell_survey(survey: Survey, *, skip_bad: bool) -> None:
    """Tell faulty records, which end the command unless `skip_bad`, and what may be a mistake."""
    for line in survey.faults:
        typer.echo(line, err=True)
    if survey.faulty > len(survey.faults):
        typer.echo(f"… and {survey.faulty - len(survey.faults)} more", err=True)
    if survey.faulty and not skip_bad:
        fail(f"{survey.faulty} of them cannot be scored; mend them, or pass --skip-bad", status=2)
    for warning in survey.warnings():
        typer.secho(f"warning: {warning}", err=True, fg=typer.colors.YELLOW)


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


async def responses(service: Service, items: Iterable[ScoreItem], step: int | None) -> AsyncGenerator[ScoreResponse]:
    """The answers to the items, a batch at a time and in order."""
    for batch in batches(items):
        deadline = asyncio.get_running_loop().time() + service.settings.request_timeout
        yield await service.scorer.score(ScoreRequest(items=batch, step=step, run=RUN), deadline)

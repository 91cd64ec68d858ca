"""Saved rollouts: reading items from a file, and scoring them batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import typer
from pydantic import ValidationError

from perception_reward.service.api.body import parse
from perception_reward.service.api.problems import where
from perception_reward.service.assembly import Service
from perception_reward.service.cli.options import fail
from perception_reward.trainer_client.wire import ScoreItem, ScoreRequest, ScoreResponse

T = TypeVar("T")

# Items scored together: enough to fill the judge, few enough that progress shows and little is lost by a Ctrl-C.
BATCH = 512
# Faulty lines shown; their number is told besides.
MOST_FAULTS = 20


def good_items(path: Path) -> Iterator[ScoreItem]:
    """The items of a file, an item of POST /v1/score a line; lines that cannot be read are left out."""
    return (item for _, item in _read(path) if isinstance(item, ScoreItem))


def count_or_exit(path: Path, *, skip_bad: bool) -> int:
    """The number of good items. Every faulty line is told; they end the command unless `skip_bad`, as no item does."""
    faults: list[str] = []
    good = 0
    for _, item in _read(path):
        if isinstance(item, str):
            faults.append(item)
        else:
            good += 1
    for line in faults[:MOST_FAULTS]:
        typer.echo(line, err=True)
    if len(faults) > MOST_FAULTS:
        typer.echo(f"… and {len(faults) - MOST_FAULTS} more", err=True)
    if faults and not skip_bad:
        fail(f"{len(faults)} lines cannot be scored; mend them, or pass --skip-bad", status=2)
    if good == 0:
        fail(f"{path} holds no item to score", status=2)
    return good


async def responses(service: Service, items: Iterable[ScoreItem], step: int | None) -> AsyncGenerator[ScoreResponse]:
    """The answers to the items, a batch at a time and in order."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        deadline = asyncio.get_running_loop().time() + service.settings.request_timeout
        yield await service.scorer.score(ScoreRequest(items=batch, step=step), deadline)


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

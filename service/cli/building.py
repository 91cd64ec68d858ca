"""`perception-reward annotations distractors|build`: false neighbours, and all five steps at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.check import check
from perception_reward.annotations.distractors import MOST
from perception_reward.annotations.pipeline.building import Build, read_config
from perception_reward.annotations.pipeline.filtering import Grader
from perception_reward.annotations.pipeline.neighbours import Distracting
from perception_reward.annotations.pipeline.steps import add_neighbours
from perception_reward.annotations.pipeline.work import Asked, Job
from perception_reward.service import logs
from perception_reward.service.cli.grading import AccuracyReward, heard
from perception_reward.service.cli.options import fail, with_settings
from perception_reward.service.cli.outputs import Force
from perception_reward.service.cli.running import started, told_or_exit
from perception_reward.service.cli.stepping import (
    DryRun,
    Prompts,
    job_or_exit,
    prompt_or_exit,
    rows_of,
    run_step,
    tell,
    with_model,
)
from perception_reward.service.rewards.grading import PRELOAD as GRADING
from perception_reward.service.settings import Settings


@with_model(required=False)
def distractors(
    asked: Asked | None,
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Annotations, in any form that is read.")],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The annotation file to write.")],
    most: Annotated[int, typer.Option(min=1, max=1000, help="At most so many distractors an annotation.")] = MOST,
    draw_seed: Annotated[int, typer.Option(help="The same seed draws the same distractors.")] = 0,
    prompts: Prompts = None,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Add false neighbours of the facts: other values, counts, colours, words, places, orders and elements.

    None is true by the other facts, nor taken for said by them by the symbolic judge, as far as rules can tell; with
    --url and --model a model is asked too.
    """
    job = job_or_exit("distractors", out, read=[source], force=force)
    if asked is None and dry_run:
        fail("a dry run estimates what a model costs; name one with --url and --model", status=2)
    entailed = prompt_or_exit("entailed", prompts, "facts", "statement") if asked is not None else None
    distracting = Distracting(most, draw_seed, entailed, heard)
    found = run_step(
        job, rows_of(source, None), lambda job: add_neighbours(job, source, distracting, asked, dry=dry_run)
    )
    tell(job, found, asked)


@with_settings("workers", "worker_memory_mb", "accuracy_time_limit")
def build(
    settings: Settings,
    config: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The TOML file that says what to do.")],
    dry_run: DryRun = False,
) -> None:
    """Do all steps, from problems to a valid store: trajectories, filter, extract, check, distractors.

    A step that is done is not done again while its settings and its input stay; a run that ends early goes on where it
    was. annotations/README.md has a whole CONFIG. The exit status is 1 where the store holds nothing to be rewarded.
    """
    # That items without facts earn nothing is no news here.
    logs.configure("error", as_json=False)
    settings = settings.model_copy(update={"annotations": (), "judge": "symbolic"})
    with told_or_exit(ValueError, status=2):
        read = read_config(config)

    @asynccontextmanager
    async def grader() -> AsyncGenerator[Grader]:
        async with started(settings, preload=GRADING) as service:
            yield AccuracyReward(service)

    def said(step: str, lines: list[str]) -> None:
        for line in lines:
            typer.echo(f"{step}: {line}")

    root = config.resolve().parent
    whole = Job("build", root / read.folder / "build.jsonl")

    async def main(job: Job) -> None:
        await Build(read, root, grader, heard, said, lambda step: job.watch).run(dry=dry_run)

    run_step(whole, None, main)
    if not dry_run:
        store = Build(read, root, grader, heard, said, lambda step: whole.watch).store
        checked_or_exit([store], f"the store: {store}")


def checked_or_exit(files: Sequence[Path], *lines: str) -> None:
    """What annotation files hold, and every fault; the exit status is 1 where they give no reward."""
    with told_or_exit():
        report = check(files)
    for line in (*report.lines(), *lines):
        typer.echo(line)
    if not report.good:
        fail(f"{len(report.faults)} faults" if report.faults else "these annotations give no perception reward")

"""`perception-reward annotations trajectories|filter`: from problems to chains of thought that end right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.pipeline.filtering import Yield
from perception_reward.annotations.pipeline.images import MOST_PIXELS
from perception_reward.annotations.pipeline.sources import FIELDS, LAYOUTS, Layout
from perception_reward.annotations.pipeline.steps import (
    Source,
    ask_trajectories,
    filter_trajectories,
    read_trajectories,
)
from perception_reward.annotations.pipeline.trajectories import Asking
from perception_reward.annotations.pipeline.work import Asked, Job, StepReport
from perception_reward.service import logs
from perception_reward.service.cli.grading import AccuracyReward
from perception_reward.service.cli.options import fail, with_settings
from perception_reward.service.cli.outputs import Force
from perception_reward.service.cli.running import started
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

HOW = "; ".join(f"{name}: {layout.reads}" for name, layout in LAYOUTS.items())


@with_model(required=False)
def trajectories(
    asked: Asked | None,
    source: Annotated[
        Path,
        typer.Argument(
            exists=True,
            help="Problems (or with --read chains of thought): JSON Lines, JSON, CSV, Parquet, or a folder of the "
            "datasets library.",
        ),
    ],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write, a trajectory a line.")],
    read: Annotated[
        bool, typer.Option("--read", help="SOURCE holds chains of thought already: take them, and ask nobody.")
    ] = False,
    layout: Annotated[str, typer.Option(help=f"What SOURCE is. {HOW}.")] = "plain",
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=COLUMN", help=f"The column that holds NAME: {', '.join(FIELDS)}."),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, max=1000, help="Trajectories of each problem.")] = 1,
    image_root: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder that image references begin in. (default: SOURCE's)"),
    ] = None,
    allow_urls: Annotated[
        bool, typer.Option("--allow-urls", help="Hand image URLs to the model's server, which fetches them.")
    ] = False,
    most_pixels: Annotated[
        int, typer.Option(min=784, help="Larger images are scaled down to so many pixels, keeping their shape.")
    ] = MOST_PIXELS,
    text_only: Annotated[
        bool, typer.Option("--text-only", help="Ask problems without images too, instead of dropping them.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many rows.")] = None,
    prompts: Prompts = None,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Have a strong vision-language model answer each problem with its images before it; or read its answers.

    A run that ends early, however it ends, goes on where it was: every reply is kept in OUT.journal.jsonl before it is
    used. The key of the endpoint is read from a variable (--api-key-env).
    """
    job = job_or_exit("trajectories", out, read=[source], force=force)
    where = Source(source, _layout_or_exit(layout), _mapped_or_exit(mapped or []), limit)
    if read:
        tell(job, run_step(job, None, lambda job: _read(job, where)))
        return
    if asked is None:
        fail("name the model with --url and --model, or read chains of thought with --read", status=2)
    root = image_root or (source if source.is_dir() else source.parent)
    prompt = prompt_or_exit("answer", prompts, "question")
    model = asked.sampling

    def asking(began: str) -> Asking:
        return Asking(prompt, model, began, root, samples, allow_urls, most_pixels, text_only)

    found = run_step(job, rows_of(source, limit), lambda job: ask_trajectories(job, where, asked, asking, dry=dry_run))
    tell(job, found, asked)


async def _read(job: Job, source: Source) -> StepReport:
    return read_trajectories(job, source)


@with_settings("workers", "worker_memory_mb", "accuracy_time_limit")
def keep_right(
    settings: Settings,
    source: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Trajectories, as the step before wrote them.")
    ],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write, a trajectory a line.")],
    agreement: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Keep a problem only where at least this share of its answers is right; without a reference, where "
            "this share agrees.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Keep the trajectories whose answer the accuracy reward accepts, and tell how many of each source are kept."""
    # That items without facts earn nothing is no news here.
    logs.configure("error", as_json=False)
    settings = settings.model_copy(update={"annotations": (), "judge": "symbolic"})
    job = job_or_exit("filter", out, read=[source], force=force)

    async def main(job: Job) -> Yield:
        async with started(settings, preload=GRADING) as service:
            return await filter_trajectories(job, source, AccuracyReward(service), agreement=agreement)

    tell(job, run_step(job, rows_of(source, None), main))


def _layout_or_exit(name: str) -> Layout:
    if name not in LAYOUTS:
        fail(f"unknown layout {name!r}; known: {', '.join(LAYOUTS)}", status=2)
    return LAYOUTS[name]


def _mapped_or_exit(mapped: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in mapped:
        name, _, column = pair.partition("=")
        if name not in FIELDS or not column:
            fail(f"--map {pair}: NAME=COLUMN, where NAME is one of {', '.join(FIELDS)}", status=2)
        found[name] = column
    return found

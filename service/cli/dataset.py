"""`perception-reward dataset`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.row_files import problems_of, write_rows
from perception_reward.annotations.rows import LAYOUTS, SYSTEM_PROMPT, TEXT_PROMPT, Incomplete, Layout, Problem
from perception_reward.annotations.stats import shows_seeing
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.outputs import Force, outputs_or_exit
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.stores import read_store

# Incomplete annotations shown; their number is told besides.
MOST_SHOWN = 20


def dataset(
    trainer: Annotated[str, typer.Argument(help=f"Whose rows to write: {', '.join(LAYOUTS)}.")],
    annotations: Annotated[str, typer.Argument(help="A file of annotations, or a redis:// URL.")],
    out: Annotated[Path, typer.Argument(help="The file to write: .parquet or .jsonl, as the trainer reads.")],
    image_root: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder that image references are relative to; checked."),
    ] = None,
    absolute_paths: Annotated[
        bool,
        typer.Option("--absolute-paths", help="Name images by absolute paths, not by paths relative to OUT's folder."),
    ] = False,
    embed: Annotated[bool, typer.Option("--embed", help="Put the images' bytes into the rows.")] = False,
    text_only: Annotated[
        bool, typer.Option("--text-only", help="Write questions without images; annotations need none.")
    ] = False,
    skip_incomplete: Annotated[
        bool,
        typer.Option(
            "--skip-incomplete",
            help="Leave out annotations without a question, an answer, an image (or its file) or facts, and say which. "
            "Without this option they end the command, and nothing is written.",
        ),
    ] = False,
    system_prompt: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file to take the place of the system prompt.")
    ] = None,
    force: Force = False,
) -> None:
    """Write a trainer's data set from annotations: question, images, and what the reward finds the facts by."""
    layout = _layout_or_exit(trainer, out)
    outputs_or_exit(out, read=(annotations, system_prompt), force=force, json_lines=False)
    system = TEXT_PROMPT if text_only else SYSTEM_PROMPT
    if system_prompt is not None:
        system = system_prompt.read_text(encoding="utf-8").strip()
    with told_or_exit():
        found = asyncio.run(read_store(annotations))
    made = partial(
        problems_of,
        root=image_root,
        embed=embed,
        system=system,
        start=None if absolute_paths else out.resolve().parent,
        text_only=text_only,
    )
    lacking: list[Incomplete] = []
    complete: list[Annotation] = []
    for annotation, one in zip(found, made(found), strict=True):
        if isinstance(one, Incomplete):
            lacking.append(one)
        else:
            complete.append(annotation)
    _tell(lacking, skip_incomplete)
    if not complete:
        which = "every annotation lacks what a row needs" if found else f"{annotations} holds no annotation"
        fail(f"{which}; nothing is written", status=2)
    # Made again for writing, a row's images at a time: embedded ones do not fit into memory together.
    with told_or_exit(Incomplete):
        count = write_rows(out, layout, _surely(made(complete)), replace=force)
    left = f"; {len(lacking)} left out" if lacking else ""
    typer.echo(f"{count} rows for {trainer} written to {out}{left}")
    if unseen := sum(not any(map(shows_seeing, annotation.facts)) for annotation in complete):
        typer.echo(f"{unseen} of them have no fact seen in the image, and so no perception reward under most profiles")
    typer.echo(f"read with {layout.reads}{f' {layout.images}' if layout.images and not text_only else ''}")
    if image_root is not None and not (embed or text_only or absolute_paths):
        where = layout.folder.replace("FOLDER", str(out.parent)) or f"start the trainer in {out.resolve().parent}"
        typer.echo(f"images are named from {out.parent} on: {where}, or pass --embed or --absolute-paths")


def _layout_or_exit(trainer: str, out: Path) -> Layout:
    layout = LAYOUTS.get(trainer)
    if layout is None:
        fail(f"unknown trainer {trainer!r}; known: {', '.join(LAYOUTS)}", status=2)
    if out.suffix not in ("", f".{layout.form}"):
        form = {"parquet": "Parquet", "jsonl": "JSON Lines"}[layout.form]
        fail(f"{out}: {trainer} reads {form}; name it {out.stem}.{layout.form}", status=2)
    return layout


def _tell(lacking: list[Incomplete], skip: bool) -> None:
    """Which annotations lack something, and how many lack what; the end of the command unless they are skipped."""
    for line in lacking[:MOST_SHOWN]:
        typer.echo(str(line), err=True)
    if len(lacking) > MOST_SHOWN:
        typer.echo(f"… and {len(lacking) - MOST_SHOWN} more", err=True)
    if not lacking:
        return
    counts = Counter(name for one in lacking for name in one.lacks)
    which = ", ".join(f"{count} no {name}" for name, count in counts.most_common())
    if skip:
        typer.echo(f"left out: {len(lacking)} annotations ({which})", err=True)
        return
    hint = "; --text-only writes a set without images" if counts["image"] else ""
    fail(
        f"{len(lacking)} annotations lack what a row needs ({which}), and nothing is written; mend them, or leave them "
        f"out with --skip-incomplete{hint}",
        status=2,
    )


def _surely(problems: Iterator[Problem | Incomplete]) -> Iterator[Problem]:
    """The problems; raises `Incomplete` for a file that has gone since it was looked at."""
    for one in problems:
        if isinstance(one, Incomplete):
            raise one
        yield one

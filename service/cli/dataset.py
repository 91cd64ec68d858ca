"""`perception-reward dataset`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.redis_store import RedisStore
from perception_reward.annotations.row_files import problems_of, write_rows
from perception_reward.annotations.rows import LAYOUTS, SYSTEM_PROMPT, Incomplete, Problem
from perception_reward.annotations.store import AnnotationStore, StoreError
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.outputs import Force, outputs_or_exit
from perception_reward.service.settings import is_redis_url

# Incomplete annotations shown; their number is told besides.
MOST_SHOWN = 20
PAGE = 1000


def dataset(
    trainer: Annotated[str, typer.Argument(help=f"Whose rows to write: {', '.join(LAYOUTS)}.")],
    annotations: Annotated[str, typer.Argument(help="A file of annotations, or a redis:// URL.")],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write.")],
    image_root: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder that image references are relative to; checked."),
    ] = None,
    embed: Annotated[bool, typer.Option("--embed", help="Put the images' bytes into the rows.")] = False,
    skip_incomplete: Annotated[
        bool, typer.Option("--skip-incomplete", help="Leave out annotations that lack something.")
    ] = False,
    system_prompt: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file to take the place of the system prompt.")
    ] = None,
    force: Force = False,
) -> None:
    """Write a trainer's data set from annotations: question, images, and what the reward finds the facts by."""
    layout = LAYOUTS.get(trainer)
    if layout is None:
        fail(f"unknown trainer {trainer!r}; known: {', '.join(LAYOUTS)}", status=2)
        return
    outputs_or_exit(out, read=(annotations, system_prompt), force=force, json_lines=False)
    system = SYSTEM_PROMPT if system_prompt is None else system_prompt.read_text(encoding="utf-8").strip()
    try:
        found = asyncio.run(_all(annotations))
    except (StoreError, OSError) as error:
        fail(str(error))
        return
    problems = problems_of(found, root=image_root, embed=embed, system=system)
    lacking: list[str] = []
    complete = [place for place, one in enumerate(problems) if _is_complete(one, lacking)]
    _tell(lacking, skip_incomplete)
    if not complete:
        fail(f"{annotations} holds no annotation to write", status=2)
    # Read again for writing, a row's images at a time: embedded ones do not fit into memory together.
    kept = problems_of((found[place] for place in complete), root=image_root, embed=embed, system=system)
    try:
        count = write_rows(out, layout, _surely(kept), replace=force)
    except (Incomplete, OSError) as error:
        fail(str(error))
        return
    left = f"; {len(lacking)} left out" if lacking else ""
    typer.echo(f"{count} rows for {trainer} written to {out}{left}\nread with {layout.reads}")


async def _all(source: str) -> list[Annotation]:
    store: AnnotationStore = RedisStore(source) if is_redis_url(source) else FileStore([Path(source)])
    found: list[Annotation] = []
    cursor: str | None = None
    await store.start()
    try:
        while True:
            page = await store.list(cursor=cursor, limit=PAGE)
            found += page.annotations
            cursor = page.cursor
            if cursor is None:
                return found
    finally:
        await store.aclose()


def _is_complete(one: Problem | Incomplete, lacking: list[str]) -> bool:
    if isinstance(one, Incomplete):
        lacking.append(str(one))
    return isinstance(one, Problem)


def _tell(lacking: list[str], skip: bool) -> None:
    for line in lacking[:MOST_SHOWN]:
        typer.echo(line, err=True)
    if len(lacking) > MOST_SHOWN:
        typer.echo(f"… and {len(lacking) - MOST_SHOWN} more", err=True)
    if lacking and not skip:
        fail(f"{len(lacking)} annotations lack what a row needs; mend them, or pass --skip-incomplete", status=2)


def _surely(problems: Iterator[Problem | Incomplete]) -> Iterator[Problem]:
    """The problems; raises `Incomplete` for a file that has gone since it was looked at."""
    for one in problems:
        if isinstance(one, Incomplete):
            raise one
        yield one

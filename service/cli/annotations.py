"""`perception-reward annotations`: make and check annotation files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.diff import diff
from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.annotations.outputs import written
from perception_reward.annotations.stats import Stats
from perception_reward.annotations.store import every
from perception_reward.service.cli import building, claims, evaluate, export, importing, mark_given, pipeline, review
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.outputs import Force, outputs_or_exit
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.stores import read_store

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make and check annotation files.")

# Lines of the report shown on the screen; --report takes all of them.
MOST_SHOWN = 40
FILES = "Annotations: JSON Lines, a JSON array, CSV or Parquet (gzip too)."


@app.callback()
def tools() -> None:
    """Make and check annotation files."""


app.command("mark-given")(mark_given.mark)
app.command("import")(importing.import_rows)
app.command("trajectories")(pipeline.trajectories)
app.command("filter")(pipeline.keep_right)
app.command("extract")(claims.extract)
app.command("check")(claims.check)
app.command("distractors")(building.distractors)
app.command("build")(building.build)
app.command("evaluate")(evaluate.evaluate)
app.command("export")(export.export)
app.command("review")(review.review)
app.command("sample")(review.sample)


@app.command("validate")
def check_files(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help=FILES)],
) -> None:
    """Read annotation files as the service does, and tell every fault and what they hold.

    The exit status is 1 where anything is at fault, or where there is no seen fact that a response can be held to.
    """
    building.checked_or_exit(files)


@app.command("diff")
def show_difference(
    old: Annotated[str, typer.Argument(help="A file of annotations, or a redis:// URL.")],
    new: Annotated[str, typer.Argument(help="Another one.")],
) -> None:
    """Tell which annotations and facts two stores differ in, whatever their form. The exit status is 1 where any do."""
    with told_or_exit(ValueError, status=2):
        report = diff(asyncio.run(read_store(old)), asyncio.run(read_store(new)))
    for line in report.lines():
        typer.echo(line)
    if not report.same:
        raise typer.Exit(1)


@app.command()
def stats(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help=FILES)],
    picture: Annotated[Path | None, typer.Option(dir_okay=False, help="Draw the counts too, as SVG, here.")] = None,
    force: Force = False,
) -> None:
    """Count facts by kind and by where they are known from, the problems that have each kind, the facts of a problem,
    their confidence, and what is lacking."""
    outputs_or_exit(picture, read=files, force=force, json_lines=False)
    with told_or_exit():
        told = asyncio.run(_stats(files))
    for line in filter(None, (*told.lines(), told.spread)):
        typer.echo(line)
    if picture is not None:
        with written(picture, replace=force) as part:
            part.write_text(told.picture(), encoding="utf-8", errors="replace")


async def _stats(files: list[Path]) -> Stats:
    store = FileStore(files)
    await store.start()
    return Stats.of([annotation async for annotation in every(store)])


@app.command("import-geometry3k")
def import_geometry3k(
    source: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Logic forms: a record each, or InterGPS' JSON.")
    ],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The annotation file to write.")],
    problems: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="InterGPS' data/geometry3k: questions, answers and images."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Only this split: train, val or test.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many problems.")] = None,
    kinds: Annotated[
        str | None, typer.Option(help="Only facts of these kinds, separated by commas, such as length,angle.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write every dropped form here, a line each.")
    ] = None,
    force: Force = False,
) -> None:
    """Turn Geometry3K logic forms into English facts. What cannot be read is reported, never silently dropped."""
    outputs_or_exit(out, read=[source], force=force)
    outputs_or_exit(out, report, read=[source], force=force, json_lines=False)
    wanted = [kind.strip() for kind in kinds.split(",")] if kinds else None
    with told_or_exit(ValueError):
        imported = import_problems(source, problems=problems, split=split, limit=limit, kinds=wanted)
    facts = imported.report.facts.total()
    if facts:
        write_jsonl(out, imported.annotations, replace=force)
    lines = list(imported.report.lines())
    for line in lines[:MOST_SHOWN]:
        typer.echo(line)
    if len(lines) > MOST_SHOWN:
        typer.echo(f"… and {len(lines) - MOST_SHOWN} lines more" + ("" if report else "; --report FILE keeps all"))
    if report is not None:
        with written(report, replace=force) as part:
            part.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    if not facts:
        fail("no fact was imported, so no annotation file is written; the lines above say why")
    typer.echo(f"{len(imported.annotations)} annotations written to {out}")

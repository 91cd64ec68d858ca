"""`perception-reward annotations import`: data with ground truth, in a layout that is named, as annotations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.faults import RecordFileError
from perception_reward.annotations.importers.model import Importer, Options
from perception_reward.annotations.importers.registry import IMPORTERS
from perception_reward.annotations.importers.run import ImportReport, NoFacts, import_annotations
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.annotations.outputs import written
from perception_reward.service.cli.options import fail, reason
from perception_reward.service.cli.outputs import Force, outputs_or_exit

LAYOUTS = "; ".join(f"{name}: {importer.reads}" for name, importer in IMPORTERS.items())


def import_rows(
    layout: Annotated[str, typer.Argument(metavar="LAYOUT", help=f"What SOURCE is. {LAYOUTS}.")],
    source: Annotated[Path, typer.Argument(exists=True, help="The file, or for some layouts the folder, to read.")],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The annotation file to write.")],
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=COLUMN", help="The column that holds what the layout calls NAME."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many rows.")] = None,
    report: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write the report here too: the counts, and why rows are refused."),
    ] = None,
    force: Force = False,
) -> None:
    """Turn data with ground truth into annotations. Rows and facts that cannot be imported are counted by their reason.

    The exit status is 1 where no fact was imported; then no annotation file is written.
    """
    importer = IMPORTERS.get(layout)
    if importer is None:
        fail(f"unknown layout {layout!r}; known: {', '.join(IMPORTERS)}", status=2)
    options = _options(importer, mapped or [])
    read = [] if source.is_dir() else [source]
    outputs_or_exit(out, read=read, force=force)
    outputs_or_exit(out, report, read=read, force=force, json_lines=False)
    told = ImportReport()
    failure: Exception | None = None
    try:
        write_jsonl(out, import_annotations(importer, source, told, options, limit=limit), replace=force)
    except (OSError, RecordFileError, NoFacts, ImportError) as error:
        failure = error
    lines = list(told.lines())
    for line in lines if told.rows else []:
        typer.echo(line)
    if report is not None and told.rows:
        with written(report, replace=force) as part:
            part.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    if failure is not None:
        fail(reason(failure))
    typer.echo(f"{told.annotations} annotations written to {out}")


def _options(importer: Importer, mapped: list[str]) -> Options:
    pairs = [pair.partition("=") for pair in mapped]
    for name, _, column in pairs:
        if name not in importer.mapped or not column:
            known = ", ".join(importer.mapped) or "none: its layout has fixed names"
            fail(f"--map {name}={column}: {importer.name} takes NAME=COLUMN for these names: {known}", status=2)
    return Options(columns={name: column for name, _, column in pairs})

"""`perception-reward score`: a file of rollouts to a file of results, by the scorer that also serves HTTP."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Annotated, TextIO, cast

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from perception_reward.annotations.outputs import part_of, written
from perception_reward.service import logs
from perception_reward.service.assembly import Service
from perception_reward.service.batch.results import to_line
from perception_reward.service.batch.rollouts import RolloutFile
from perception_reward.service.batch.tally import COMPONENTS, Tally
from perception_reward.service.cli.options import ANNOTATIONS, CACHE, JUDGE, PROFILES, WORK, fail, with_settings
from perception_reward.service.cli.outputs import Force, outputs_or_exit, read_by
from perception_reward.service.cli.rollouts import WHAT, batches, respond, rollouts_or_exit
from perception_reward.service.cli.running import run_or_exit
from perception_reward.service.cli.screen import progress, screen
from perception_reward.service.settings import Settings
from perception_reward.trainer_client.tokens import opened_thought

# The exit status where no score could be determined.
ALL_MISSING = 3
# What to look at, by the reason of a missing score.
ADVICE = {
    "unknown_annotation": "--annotations names the files that hold the annotations; the ids have to be the same",
    "annotations_unavailable": "the annotation store did not answer",
    "judge_unavailable": "the judge did not answer; the warnings above say why",
    "judge_timeout": "a batch took longer than --request-timeout",
    "judge_unparseable": "the judge's reply was no verdict; see --judge-method",
    "accuracy_timeout": "a reference answer took longer than --accuracy-time-limit to compare",
    "overloaded": "the worker processes could not keep up",
}


@with_settings(*ANNOTATIONS, *PROFILES, *JUDGE, *CACHE, *WORK, "log_json")
def score(
    settings: Settings,
    items: Annotated[Path, typer.Argument(metavar="ROLLOUTS", exists=True, help=WHAT)],
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="The JSON Lines to write: a line for each item, in order.")
    ],
    step: Annotated[int | None, typer.Option(min=0, help="Training step, for profiles with a schedule.")] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            help="What the prompt's template has written of every response, such as '<think>', where no `prefix` or "
            "`prompt` of the items says so."
        ),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Score the good items although others cannot be read.")
    ] = False,
    force: Force = False,
) -> None:
    """Score saved rollouts from a file, without a server.

    Items that cannot be read are all told before anything is scored. Other fields of theirs are carried to the results,
    as `extra`. Results are written to RESULTS.part, which becomes RESULTS when the last item is scored.

    The exit status is 0, or 3 where every score is missing, 2 for a wrong option or file, 1 for a failure.
    """
    logs.configure("warning", as_json=settings.log_json)
    outputs_or_exit(results, read=(items, *read_by(settings)), force=force, keep=True)
    if prefix and not opened_thought(prefix):
        fail(f"--prefix {prefix!r} opens no thought; it is <think> where a template does", status=2)
    file, survey = rollouts_or_exit(items, skip_bad=skip_bad)
    console = screen(stderr=True)
    for note in survey.notes():
        console.print(note, soft_wrap=True)
    tally = Tally()

    async def main(service: Service) -> None:
        with written(results, replace=force, keep=True) as part, _opened(part, results) as out:
            await _score(service, file, survey.good, step, prefix, out, tally, console)

    try:
        run_or_exit(settings, main)
    except BaseException:
        if part_of(results).exists():
            typer.echo(f"{tally.items} of {survey.good} results are in {part_of(results)}", err=True)
        raise
    _tell(console, tally, results)
    if tally.missing == tally.items:
        fail("every score is missing", status=ALL_MISSING)


async def _score(
    service: Service,
    file: RolloutFile,
    total: int,
    step: int | None,
    prefix: str | None,
    out: TextIO,
    tally: Tally,
    console: Console,
) -> None:
    with progress(console) as bar:
        task = bar.add_task("scoring", total=total)
        for batch in batches(file.rollouts()):
            answer = await respond(service, [rollout.item for rollout in batch], step, prefix)
            out.writelines(
                to_line(result, rollout.extra) for rollout, result in zip(batch, answer.results, strict=True)
            )
            tally.add(answer.results)
            bar.advance(task, len(batch))
    if tally.items != total:
        raise OSError(f"{file.path} was changed while it was scored: {total} items at first, then {tally.items}")


def _opened(part: Path, results: Path) -> TextIO:
    if results.suffix == ".gz":
        return cast(TextIO, gzip.open(part, "wt", encoding="utf-8"))
    return part.open("w", encoding="utf-8")


def _tell(console: Console, tally: Tally, results: Path) -> None:
    """What the scores came to, and why some are missing."""
    table = Table("", "mean", "items", "without", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    for name in (*COMPONENTS, "score"):
        mean = tally.mean(name)
        given = tally.given[name]
        table.add_row(name, "–" if mean is None else f"{mean:.3f}", str(given), str(tally.items - given or ""))
    console.print(table)
    if tally.missing:
        reasons = Table("missing", "items", "", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        reasons.columns[1].justify = "right"
        for reason, count in tally.reasons.most_common():
            reasons.add_row(reason, str(count), ADVICE.get(reason, ""))
        console.print(reasons)
    line = f"{tally.items} items scored to {results}; {tally.missing} missing"
    console.print(line, soft_wrap=True)

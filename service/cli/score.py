"""`perception-reward score`: saved rollouts to results, by the scorer that also serves HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from perception_reward.annotations.files import is_url
from perception_reward.service import logs
from perception_reward.service.batch.chunks import UNREADABLE, Asking
from perception_reward.service.batch.files import Files, expected, sampled, surveyed
from perception_reward.service.batch.inputs import identity, inputs_of
from perception_reward.service.batch.job import Job
from perception_reward.service.batch.layouts import read_map
from perception_reward.service.batch.outputs import missing_of
from perception_reward.service.batch.ray_engine import RayJob, RayRefused, gpus_of
from perception_reward.service.batch.retry import judge_of, merge, retry_of
from perception_reward.service.batch.rollouts import Survey
from perception_reward.service.batch.selection import Condition, Selection
from perception_reward.service.cli.options import ANNOTATIONS, CACHE, JUDGE, PROFILES, WORK, fail, with_settings
from perception_reward.service.cli.outputs import Force, outputs_or_exit, read_by
from perception_reward.service.cli.rollouts import tell_survey
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.scoring import run_job, scorer_of, tell
from perception_reward.service.cli.screen import screen
from perception_reward.service.settings import Settings
from perception_reward.trainer_client.tokens import opened_thought

# The exit status where no score could be determined.
ALL_MISSING = 3
WHAT = (
    "Rollouts, and last the file of RESULTS. Rollouts are files, folders, globs and URLs (s3://…) of JSON Lines, JSON, "
    "CSV, Parquet, Arrow or Excel, plain or packed with gzip or zstd. RESULTS is .jsonl, .jsonl.gz, .jsonl.zst or "
    ".parquet."
)


class Engine(StrEnum):
    local = "local"
    ray = "ray"


@with_settings(*ANNOTATIONS, *PROFILES, *JUDGE, *CACHE, *WORK, "log_json")
def score(
    settings: Settings,
    paths: Annotated[list[str], typer.Argument(metavar="ROLLOUTS... RESULTS", help=WHAT, show_default=False)],
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN,…",
            help="Where a field of a rollout stands, over what was recognised: response=output,answer=gts. A column "
            "may be a path such as meta.truth. May be repeated.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="Score only where a column compares so: step>=100, model=base, metadata.source!=SciBench. May be "
            "repeated; all have to hold.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Score the first so many records.")] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Score so many records, drawn at random; everything is read once before.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw: the same seed draws the same records.")] = 0,
    step: Annotated[
        int | None,
        typer.Option(min=0, help="Training step of all rollouts, for profiles with a schedule; over their own."),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            help="What the prompt's template has written of every response, such as '<think>', where no `prefix` or "
            "`prompt` of the items says so."
        ),
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="Ask a running service instead of a judge of this process. Several share the load, and one may fail. "
            "The key is PERCEPTION_REWARD_API_KEY.",
        ),
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option(
            help="local: this machine, in order, to a file. ray: a cluster of Ray (RAY_ADDRESS), by ids, to a folder "
            "of Parquet that may be a URL; extra [ray]."
        ),
    ] = Engine.local,
    ray_actors: Annotated[
        int, typer.Option(min=0, help="Actors that score, with --engine ray; 0 for as many as there is room for.")
    ] = 0,
    explain: Annotated[
        bool, typer.Option("--explain", help="Write each response with its result, and the words that carry each fact.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Score the good items although others cannot be read.")
    ] = False,
    retry_missing: Annotated[
        bool,
        typer.Option(
            "--retry-missing",
            help="Ask again for the rows of RESULTS.missing.jsonl alone, and put them in their places.",
        ),
    ] = False,
    force: Force = False,
) -> None:
    """Score saved rollouts, without a server or with running ones.

    Layouts of trainers and benchmarks are recognised. Results are written as they come, in the order of the rollouts;
    the other columns are carried to them, as `extra`. The same command again goes on where one was stopped or killed.
    Rollouts without a score stand in RESULTS.missing.jsonl too; --retry-missing asks for them again.

    The exit status is 0, or 3 where every score is missing, 2 for a wrong option or file, 1 for a failure, 130 for a
    job that was stopped.
    """
    logs.configure("warning", as_json=settings.log_json)
    if retry_missing:
        retry(settings, Path(paths[-1]), url or [], Asking(step, explain), prefix, force=force)
        return
    if engine is Engine.ray:
        _with_ray(settings, paths, mapping or [], where or [], limit, sample, url or [], Asking(step, explain), prefix,
                  actors=ray_actors, force=force)  # fmt: skip
        return
    named, results = _named(paths)
    local = [Path(name) for name in named if not is_url(name)]
    outputs_or_exit(
        results, missing_of(results), read=(*local, *read_by(settings)), force=force, keep=True, json_lines=False
    )
    if prefix and not opened_thought(prefix):
        fail(f"--prefix {prefix!r} opens no thought; it is <think> where a template does", status=2)
    console = screen(stderr=True)
    files, selection = _wanted(named, mapping or [], where or [], limit, sample, seed)
    survey = _survey_or_exit(files, selection, console, skip_bad=skip_bad)
    asking = Asking(step, explain, results.suffix == ".parquet")
    plan = {"--map": str(sorted(mapping or [])), "--prefix": str(prefix), **_plan(settings, url or [])}
    job = Job(files, selection, asking, results, plan, force, skip_bad)
    scorer = scorer_of(settings, url or [], asking, prefix, few=survey.complete)
    done = run_job(job, scorer, expected(files, selection, survey), console)
    tell(console, done, results)
    if done.tally.missing == done.tally.items:
        fail("every score is missing", status=ALL_MISSING)


def _named(paths: Sequence[str]) -> tuple[list[str], Path]:
    if len(paths) < 2:
        fail("name the rollouts, and last the file of results", status=2)
    *named, last = paths
    if is_url(last):
        fail(f"{last}: results are written on this machine; --engine ray writes to URLs", status=2)
    results = Path(last)
    if results.suffix.lower() not in (".parquet", ".zst"):
        outputs_or_exit(results, read=(), force=True)
    return named, results


def _wanted(
    named: Sequence[str],
    mapping: Sequence[str],
    where: Sequence[str],
    limit: int | None,
    sample: int | None,
    seed: int,
) -> tuple[Files, Selection]:
    """What is read, and which of it. A wrong name, option or file ends the command with status 2."""
    with told_or_exit(ValueError, ImportError, status=2):
        places = {target: place for one in mapping for target, place in read_map(one).items()}
        selection = Selection(tuple(map(Condition.read, where)), limit=limit)
        files = Files(inputs_of(named), places)
        if sample is not None:
            selection = sampled(files, selection, sample, seed)
    return files, selection


def _survey_or_exit(files: Files, selection: Selection, console: Console, *, skip_bad: bool) -> Survey:
    with told_or_exit(status=2):
        survey, layouts = surveyed(files, selection)
    for told in layouts:
        console.print(told, soft_wrap=True)
    tell_survey(survey, skip_bad=skip_bad)
    if survey.good == 0:
        fail("there is no item to score", status=2)
    for note in survey.notes():
        console.print(note, soft_wrap=True)
    return survey


def _plan(settings: Settings, urls: Sequence[str]) -> dict[str, str]:
    """What else of the settings makes the results what they are. A service knows its own."""
    profile = settings.profile if not urls or "profile" in settings.model_fields_set else ""
    return {"--profile": profile, "set of annotations": "" if urls else _state(settings)}


def _state(settings: Settings) -> str:
    files = [path for source in settings.annotations if (path := Path(source)).exists()]
    return identity(files) if files else " ".join(settings.annotations)


def retry(
    settings: Settings, results: Path, urls: Sequence[str], asking: Asking, prefix: str | None, *, force: bool
) -> None:
    """The second try: a job of its own, which can be stopped and gone on with as any other."""
    console = screen(stderr=True)
    if not results.is_file():
        fail(f"{results} is not there: missing rows are asked again once a job is finished", status=2)
    if not missing_of(results).exists() or (judge := judge_of(results)) is None:
        console.print(f"nothing that could be asked again is missing in {results}", soft_wrap=True)
        return
    again, selection = retry_of(results), Selection((Condition("reason", "!=", UNREADABLE),))
    if not again.exists():
        plan = {"--prefix": str(prefix), **_plan(settings, urls)}
        job = Job(Files([missing_of(results)]), selection, asking, again, plan, force)
        run_job(job, scorer_of(settings, urls, asking, prefix, few=True, judge=None if force else judge), None, console)
    with told_or_exit():
        scored = merge(results, again)
    left = missing_of(results).exists()
    console.print(
        f"{scored} missing rows have a score now; {'others are missing still' if left else 'none is missing'}"
    )


def _with_ray(
    settings: Settings,
    paths: Sequence[str],
    mapping: Sequence[str],
    where: Sequence[str],
    limit: int | None,
    sample: int | None,
    urls: Sequence[str],
    asking: Asking,
    prefix: str | None,
    *,
    actors: int,
    force: bool,
) -> None:
    if len(paths) < 2:
        fail("name the rollouts, and last the folder of results", status=2)
    console = screen(stderr=True)
    files, selection = _wanted(paths[:-1], mapping, where, limit, None, 0)
    if sample is not None:
        selection = replace(selection, seed=str(sample))
    job = RayJob(
        files, selection, asking, paths[-1], settings, urls, prefix, actors, gpus_of(settings) if not urls else 0, force
    )
    with told_or_exit(RayRefused, status=2), told_or_exit():
        console.print(files[0].described, soft_wrap=True)
        found = job.run()
    console.print(f"{found.rows} rows scored to {paths[-1]}; {found.missing} missing", soft_wrap=True)
    if found.missing == found.rows:
        fail("every score is missing", status=ALL_MISSING)

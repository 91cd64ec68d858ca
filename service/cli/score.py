"""`perception-reward score`: saved rollouts to results, by the scorer that also serves HTTP."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from perception_reward.annotations.faults import RecordFileError
from perception_reward.annotations.files import is_url
from perception_reward.annotations.outputs import part_of
from perception_reward.service import logs
from perception_reward.service.batch.chunks import RUN, Asking, ServiceScoring, UrlScoring, score_chunk
from perception_reward.service.batch.files import Files, expected, sampled, surveyed
from perception_reward.service.batch.inputs import identity, inputs_of
from perception_reward.service.batch.job import Job
from perception_reward.service.batch.lanes import AT_ONCE, Setup, lanes
from perception_reward.service.batch.layouts import read_map
from perception_reward.service.batch.outputs import Done, missing_of
from perception_reward.service.batch.pipeline import Score
from perception_reward.service.batch.rollouts import Survey
from perception_reward.service.batch.selection import Condition, Selection
from perception_reward.service.batch.tally import COMPONENTS
from perception_reward.service.cli.options import ANNOTATIONS, CACHE, JUDGE, PROFILES, WORK, fail, reason, with_settings
from perception_reward.service.cli.outputs import Force, outputs_or_exit, read_by
from perception_reward.service.cli.rollouts import tell_survey
from perception_reward.service.cli.running import started, told_or_exit
from perception_reward.service.cli.screen import progress, screen
from perception_reward.service.settings import Settings
from perception_reward.trainer_client.client import RewardClient
from perception_reward.trainer_client.tokens import opened_thought

# The exit status where no score could be determined.
ALL_MISSING = 3
# The exit status of what a signal ended, as shells have it.
STOPPED = 130
# Chunks under way at once in this process, and where services answer.
AHEAD = 2
# Below so many records, processes of their own would take longer to start than to score them.
FEW = 4000
# What to look at, by the reason of a missing score.
ADVICE = {
    "unknown_annotation": "--annotations names the files that hold the annotations; the ids have to be the same",
    "annotations_unavailable": "the annotation store did not answer",
    "judge_unavailable": "the judge did not answer; the warnings above say why",
    "judge_timeout": "a batch took longer than --request-timeout",
    "judge_unparseable": "the judge's reply was no verdict; see --judge-method",
    "accuracy_timeout": "a reference answer took longer than --accuracy-time-limit to compare",
    "overloaded": "the worker processes could not keep up",
    "service_unavailable": "no service at --url answered in time",
}
WHAT = (
    "Rollouts, and last the file of RESULTS. Rollouts are files, folders, globs and URLs (s3://…) of JSON Lines, JSON, "
    "CSV, Parquet, Arrow or Excel, plain or packed with gzip or zstd. RESULTS is .jsonl, .jsonl.gz, .jsonl.zst or "
    ".parquet."
)


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
    explain: Annotated[
        bool, typer.Option("--explain", help="Write each response with its result, and the words that carry each fact.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Score the good items although others cannot be read.")
    ] = False,
    force: Force = False,
) -> None:
    """Score saved rollouts, without a server or with running ones.

    Layouts of trainers and benchmarks are recognised. Results are written as they come, in the order of the rollouts;
    the other columns are carried to them, as `extra`. The same command again goes on where one was stopped or killed.
    Rollouts without a score stand in RESULTS.missing.jsonl too.

    The exit status is 0, or 3 where every score is missing, 2 for a wrong option or file, 1 for a failure, 130 for a
    job that was stopped.
    """
    logs.configure("warning", as_json=settings.log_json)
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
    few = survey.complete and survey.good <= FEW
    scorer = _scorer(settings, url or [], asking, prefix, few=few)
    done = _run(job, scorer, survey, console)
    _tell(console, done, results)
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
    try:
        given = {target: place for one in mapping for target, place in read_map(one).items()}
        selection = Selection(tuple(map(Condition.read, where)), limit=limit)
        files = Files(inputs_of(named), given)
        if sample is not None:
            selection = sampled(files, selection, sample, seed)
    except (RecordFileError, OSError, ValueError, ImportError) as error:
        fail(reason(error), status=2)
        raise AssertionError from None
    return files, selection


def _survey_or_exit(files: Files, selection: Selection, console: Console, *, skip_bad: bool) -> Survey:
    try:
        survey, layouts = surveyed(files, selection)
    except (RecordFileError, OSError) as error:
        fail(reason(error), status=2)
        raise AssertionError from None
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


Scorer = tuple[Score, str, int]


@asynccontextmanager
async def _scorer(
    settings: Settings, urls: Sequence[str], asking: Asking, prefix: str | None, *, few: bool
) -> AsyncGenerator[Scorer]:
    """What scores a chunk, the judge's fingerprint, and how many chunks are under way at once."""
    if urls:
        async with RewardClient(
            urls,
            profile=settings.profile if "profile" in settings.model_fields_set else None,
            run=RUN,
            prefix=prefix,
            timeout=settings.request_timeout,
            missing_limit=1.0,
            require_facts=False,
        ) as client:
            await client.check()
            yield _by(UrlScoring(client), asking), "that of the services", AHEAD * len(urls)
    elif settings.judge == "symbolic" and settings.workers > 1 and not few:
        async with lanes(settings, Setup(asking, prefix), settings.workers) as team:
            yield team.score, team.fingerprint, AT_ONCE * settings.workers + 1
    else:
        async with started(settings) as service:
            yield _by(ServiceScoring(service, prefix), asking), service.judge.info.fingerprint, AHEAD


def _by(scoring: ServiceScoring | UrlScoring, asking: Asking) -> Score:
    return lambda chunk: score_chunk(chunk, asking, scoring)


def _run(job: Job, scorer: AbstractAsyncContextManager[Scorer], survey: Survey, console: Console) -> Done:
    """Do the job. Whatever ends it early is told in a line, with what is kept and how to go on."""
    reached: list[Done] = []

    async def main() -> bool:
        async with scorer as (score, judge, ahead):
            stopping = asyncio.Event()
            with _stopped_by_signals(stopping, console), progress(console) as bar:
                task = bar.add_task("scoring", total=expected(job.files, job.selection, survey))

                def watch(done: Done) -> None:
                    if not reached:
                        reached.append(done)
                        if done.records:
                            console.print(f"{done.tally.items} results are there from an earlier run", soft_wrap=True)
                    bar.update(task, completed=done.tally.items)

                ended, _ = await job.run(score, judge, ahead=ahead, stopping=stopping, watch=watch)
                return ended

    try:
        with told_or_exit():
            ended = asyncio.run(main())
    except BaseException:
        _tell_kept(job, reached)
        raise
    if not ended:
        _tell_kept(job, reached)
        fail("stopped", status=STOPPED)
    return reached[0]


def _tell_kept(job: Job, reached: Sequence[Done]) -> None:
    if reached and part_of(job.out).exists():
        count = f"{reached[0].tally.items} results are in {part_of(job.out)}"
        typer.echo(f"{count}; the same command goes on from there", err=True)


@contextmanager
def _stopped_by_signals(stopping: asyncio.Event, console: Console) -> Generator[None]:
    """The first Ctrl-C, or SIGTERM, lets what is under way be finished and kept; the second drops it."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if stopping.is_set() and task is not None:
            task.cancel()
            return
        stopping.set()
        console.print("stopping: what is under way is finished; Ctrl-C again to drop it", soft_wrap=True)

    caught: list[signal.Signals] = []
    for one in (signal.SIGINT, signal.SIGTERM):
        # Only the main thread may.
        with suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(one, stop)
            caught.append(one)
    try:
        yield
    finally:
        for one in caught:
            loop.remove_signal_handler(one)


def _tell(console: Console, done: Done, results: Path) -> None:
    """What the scores came to, and why some are missing."""
    tally = done.tally
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
        for why, count in tally.reasons.most_common():
            reasons.add_row(why, str(count), ADVICE.get(why, ""))
        console.print(reasons)
    if done.unread:
        console.print(f"{done.unread} records could not be read; {missing_of(results)} names them", soft_wrap=True)
    line = f"{tally.items} items scored to {results}; {tally.missing} missing"
    console.print(line, soft_wrap=True)

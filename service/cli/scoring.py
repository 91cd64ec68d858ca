"""What scores a job on the command line, and what is told meanwhile: how far it is, what ended it, what it came to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import typer
from rich.console import Console

from perception_reward.annotations.outputs import part_of
from perception_reward.service.batch.chunks import Asking, score_chunk
from perception_reward.service.batch.job import Job, Unreadable
from perception_reward.service.batch.lanes import AT_ONCE, Setup, lanes
from perception_reward.service.batch.outputs import Done, missing_of
from perception_reward.service.batch.pipeline import Score
from perception_reward.service.batch.scorings import Scoring, ServiceScoring, UrlScoring, client_of
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.running import started, stopped_by_signals, told_or_exit
from perception_reward.service.cli.screen import progress, table
from perception_reward.service.settings import Settings, SettingsError

# The exit status of what a signal ended, as shells have it.
STOPPED = 130
# Chunks under way at once in this process, and where services answer.
AHEAD = 2
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

Scorer = tuple[Score, str, int]


@asynccontextmanager
async def scorer_of(
    settings: Settings, urls: Sequence[str], asking: Asking, prefix: str | None, *, few: bool, judge: str | None = None
) -> AsyncGenerator[Scorer]:
    """What scores a chunk, the judge's fingerprint, and how many chunks are under way at once.

    judge: the fingerprint that it has to have; another one ends the command.
    """
    async with _any_scorer(settings, urls, asking, prefix, few=few) as found:
        if judge not in (None, found[1]):
            raise SettingsError("judge: this is another one than gave the other results; name that, or pass --force")
        yield found


@asynccontextmanager
async def _any_scorer(
    settings: Settings, urls: Sequence[str], asking: Asking, prefix: str | None, *, few: bool
) -> AsyncGenerator[Scorer]:
    if urls:
        async with client_of(settings, urls, prefix, explain=asking.explain) as client:
            await client.check()
            yield _by(UrlScoring(client), asking), "that of the services", AHEAD * len(urls)
    elif settings.judge == "symbolic" and settings.workers > 1 and not few:
        async with lanes(settings, Setup(asking, prefix), settings.workers) as team:
            yield team.score, team.fingerprint, AT_ONCE * settings.workers + 1
    else:
        async with started(settings) as service:
            scoring = ServiceScoring(service, prefix, explain=asking.explain)
            yield _by(scoring, asking), service.judge.info.fingerprint, AHEAD


def _by(scoring: Scoring, asking: Asking) -> Score:
    return lambda chunk: score_chunk(chunk, asking, scoring)


def run_job(job: Job, scorer: AbstractAsyncContextManager[Scorer], total: int | None, console: Console) -> Done:
    """Do the job. Whatever ends it early is told in a line, with what is kept and how to go on."""
    reached: list[Done] = []

    async def main() -> bool:
        async with scorer as (score, judge, ahead):
            stopping = asyncio.Event()

            def stop() -> None:
                stopping.set()
                console.print("stopping: what is under way is finished; Ctrl-C again to drop it", soft_wrap=True)

            with stopped_by_signals(stop), progress(console) as bar:
                task = bar.add_task("scoring", total=total)

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
    except Unreadable as error:
        typer.echo(str(error), err=True)
        _tell_kept(job, reached)
        fail("what cannot be scored ends the job; pass --skip-bad to go on without it", status=2)
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


def tell(console: Console, done: Done, results: Path) -> None:
    """What the scores came to, and why some are missing; behind the warnings, which a thread writes."""
    for handler in logging.getLogger().handlers:
        handler.flush()
    tally = done.tally
    means = table("", "mean", "items", "without")
    for name in sorted(tally.sums, key=lambda name: name == "score"):
        mean = tally.mean(name)
        known = tally.given[name]
        means.add_row(name, "–" if mean is None else f"{mean:.3f}", str(known), str(tally.items - known or ""))
    console.print(means)
    if tally.missing:
        reasons = table("missing", "items", "")
        reasons.columns[2].justify = "left"
        for why, count in tally.reasons.most_common():
            reasons.add_row(why, str(count), ADVICE.get(why, ""))
        console.print(reasons)
    if done.unread:
        console.print(f"{done.unread} records could not be read; {missing_of(results)} names them", soft_wrap=True)
    line = f"{tally.items} items scored to {results}; {tally.missing} missing"
    console.print(line, soft_wrap=True)

"""A step at work on files: from rows to an output, what is dropped, and a journal, with its report.

    report = await work(job, rows, step, settle)

`settle` puts a row's result into the outputs. Nothing is written where rows are still missing: the same command asks
for them again, and only for them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from perception_reward.annotations.pipeline.asks import Sampling, Steps
from perception_reward.annotations.pipeline.endpoint import RETRIES, Endpoint
from perception_reward.annotations.pipeline.engine import Engine, Estimate, Missing, Tally, estimate, without_asking
from perception_reward.annotations.pipeline.journal import Journal
from perception_reward.annotations.pipeline.limits import Limits, Stopped
from perception_reward.annotations.pipeline.rows import Outputs, beside, outputs

R = TypeVar("R")
T = TypeVar("T")


class StillMissing(Stopped):
    """Some rows have no reply yet, so that no output is written."""


@dataclass(slots=True)
class Watch:
    """Who looks on. rows: called with the rows that are done; tally: with what was asked so far.

    stop: to be called to end the run early; what is under way is finished first.
    """

    rows: Callable[[int], None] = lambda count: None
    tally: Callable[[Tally, Limits], None] = lambda tally, limits: None
    stop: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a step asks, and within which limits. leave_out: rows without a reply are dropped, and do not end the
    run."""

    url: str
    sampling: Sampling
    limits: Limits = field(default_factory=Limits)
    api_key: str = ""
    deadline: float = 600.0
    retries: int = RETRIES
    leave_out: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One step's run. step: its name. out: the file to write; `replace`: also over another one."""

    step: str
    out: Path
    replace: bool = False
    watch: Watch = field(default_factory=Watch)

    @property
    def journal(self) -> Path:
        return beside(self.out, "journal.jsonl")


@dataclass(slots=True)
class StepReport:
    """What a step did. dropped: rows or parts of them, by reason."""

    tally: Tally = field(default_factory=Tally)
    rows: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])
    more: list[str] = field(default_factory=list[str])

    def lines(self, limits: Limits | None = None) -> list[str]:
        """For people."""
        told = [f"{self.rows} rows read, {self.kept} written"]
        told += [f"{count} dropped: {why}" for why, count in self.dropped.most_common()]
        told += self.more
        if limits is not None:
            told.append(told_of(self.tally, limits))
        return told


def told_of(tally: Tally, limits: Limits) -> str:
    """`812 requests, 40,112 tokens read, 9,120 written, 0.0114 spent`."""
    spent = f", {limits.cost_of(tally.tokens):.4f} spent" if any(limits.price) else ""
    known = f", {tally.known} replies were there already" if tally.known else ""
    repaired = f", {tally.repaired} of them to have the form mended" if tally.repaired else ""
    tokens = f"{tally.tokens[0]:,} tokens read, {tally.tokens[1]:,} written"
    return f"{tally.requests} requests{repaired}, {tokens}{spent}{known}"


def today() -> str:
    """The day that a run which begins now is said to have begun on: SOURCE_DATE_EPOCH, where it is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), timezone.utc) if epoch.isdecimal() else datetime.now(timezone.utc)
    return now.date().isoformat()


async def work(
    job: Job,
    asked: Asked,
    rows: Iterable[R],
    step_of: Callable[[str], Callable[[R], Steps[T]]],
    settle: Callable[[R, T, Outputs, StepReport], None],
    name: Callable[[R], dict[str, Any]],
    finish: Callable[[Outputs, StepReport], None] = lambda files, report: None,
) -> StepReport:
    """Do `job`. step_of: the step, given the day on which the first run began; name: what names a row that is dropped.
    finish: called behind the last row.

    Raises `Stopped` (its classes say why), `JournalFault`, `ImportError`, `OSError`, and what `rows` raises; the
    journal keeps what was paid for."""
    report = StepReport()
    with (
        Journal.opened(job.journal, step=job.step, began=today()) as journal,
        outputs(job.out, replace=job.replace) as files,
    ):
        endpoint = Endpoint(
            asked.url, asked.sampling, api_key=asked.api_key, deadline=asked.deadline, retries=asked.retries
        )
        engine = Engine(journal, endpoint, asked.sampling, asked.limits, report.tally)
        engine.watch = lambda tally: job.watch.tally(tally, asked.limits)
        job.watch.stop = lambda: engine.gate.stop(Stopped("stopped"))
        missing = Counter[str]()
        try:
            async for row, result in engine.results(rows, step_of(journal.began)):
                report.rows += 1
                job.watch.rows(report.rows)
                if isinstance(result, Missing):
                    missing[result.why] += 1
                    report.dropped["has no reply"] += asked.leave_out
                    if asked.leave_out:
                        files.drop(name(row), "has no reply", result.why)
                elif result is not None:
                    settle(row, result, files, report)
            finish(files, report)
        finally:
            await endpoint.aclose()
        if missing and not asked.leave_out:
            why, _ = missing.most_common(1)[0]
            raise StillMissing(
                f"{missing.total()} of {report.rows} rows have no reply yet ({why}); the same command asks for them "
                "again, and --leave-out-missing writes the output without them"
            )
    return report


def dry_run(job: Job, asked: Asked, rows: Iterable[R], step_of: Callable[[str], Callable[[R], Steps[T]]]) -> Estimate:
    """What `work` would ask. Nothing is written."""
    if not job.journal.exists():
        return estimate(rows, step_of(today()), asked.sampling, None)
    with Journal.opened(job.journal, step=job.step, began=today()) as journal:
        return estimate(rows, step_of(journal.began), asked.sampling, journal)


def unasked(
    job: Job, rows: Iterable[R], step: Callable[[R], Steps[T]], settle: Callable[[R, T, Outputs, StepReport], None]
) -> StepReport:
    """A step that asks nobody: it is done again from the beginning, whenever it is run."""
    report, stopping = StepReport(), list[bool]()
    job.watch.stop = lambda: stopping.append(True)
    with outputs(job.out, replace=job.replace) as files:
        for row in rows:
            settle(row, without_asking(step(row)), files, report)
            report.rows += 1
            job.watch.rows(report.rows)
            if stopping:
                raise Stopped("stopped")
    return report

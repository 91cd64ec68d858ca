"""The five steps on files, as a command or `build` runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from perception_reward.annotations.pipeline.engine import Estimate
from perception_reward.annotations.pipeline.filtering import Grader, Yield, filtered
from perception_reward.annotations.pipeline.journal import Journal
from perception_reward.annotations.pipeline.limits import Stopped
from perception_reward.annotations.pipeline.rows import Outputs, Problem, Trajectory, identity, outputs
from perception_reward.annotations.pipeline.sources import LAYOUTS, Layout, Unusable, read_chains, read_problems
from perception_reward.annotations.pipeline.trajectories import Answered, Asking
from perception_reward.annotations.pipeline.work import Asked, Job, StepReport, dry_run, today, work

P = TypeVar("P", bound=Problem)


@dataclass(frozen=True, slots=True)
class Source:
    """Where problems, or chains of thought, are read from. limit: the most rows to read."""

    path: Path
    layout: Layout = LAYOUTS["plain"]
    mapped: Mapping[str, str] = field(default_factory=dict[str, str])
    limit: int | None = None


async def ask_trajectories(
    job: Job, source: Source, asked: Asked, asking: Callable[[str], Asking], *, dry: bool = False
) -> StepReport | Estimate:
    """Answer the problems of `source`."""
    unusable: list[tuple[str, Unusable]] = []
    rows = _usable(read_problems(source.path, source.layout, source.mapped, images_of(job)), source, unusable)

    def settle(problem: Problem, found: Answered, files: Outputs, report: StepReport) -> None:
        for one in found.kept:
            files.keep(one)
        for sample, why, detail in found.dropped:
            files.drop({"id": problem.id, **({"sample": sample} if sample >= 0 else {})}, why, detail)
            report.dropped[why] += 1
        report.kept += len(found.kept)
        finish(files, report)

    def finish(files: Outputs, report: StepReport) -> None:
        _drop_unusable(unusable, files, report)

    def step_of(began: str) -> Any:
        return asking(began).step

    if dry:
        return dry_run(job, asked, rows, step_of)
    return await work(job, asked, rows, step_of, settle, lambda one: identity([one]), finish)


def read_trajectories(job: Job, source: Source) -> StepReport:
    """Take chains of thought that are there already."""
    report = StepReport()
    unusable: list[tuple[str, Unusable]] = []
    with outputs(job.out, replace=job.replace) as files:
        for row in _usable(read_chains(source.path, source.layout, source.mapped, images_of(job)), source, unusable):
            made = row.provenance.model_copy(update={"created": today()})
            files.keep(row.model_copy(update={"provenance": made}))
            report.rows += 1
            report.kept += 1
            job.watch.rows(report.rows)
            _drop_unusable(unusable, files, report)
        _drop_unusable(unusable, files, report)
    return report


async def filter_trajectories(job: Job, path: Path, grader: Grader, *, agreement: float | None = None) -> Yield:
    """Keep the trajectories whose answer is right."""
    found = Yield()
    stopping: list[bool] = []
    job.watch.stop = lambda: stopping.append(True)
    with (
        Journal.opened(job.journal, step=job.step, began=today()) as journal,
        outputs(job.out, replace=job.replace) as files,
    ):
        async for group in filtered(path, grader, journal, agreement=agreement):
            for one in group.kept:
                files.keep(one)
            for one, why in group.dropped:
                files.drop(one.model_dump(mode="json", exclude_defaults=True), why, "")
            found.add(group)
            job.watch.rows(found.read.total())
            if stopping:
                raise Stopped("stopped")
    return found


def images_of(job: Job) -> Path:
    """The folder for images that stand in the rows."""
    return job.out.with_name(f"{job.out.stem}.images")


def _usable(
    rows: Iterator[tuple[str, P | Unusable]], source: Source, unusable: list[tuple[str, Unusable]]
) -> Iterator[P]:
    """The rows that can be used; the others, and problems that come twice, go to `unusable`."""
    seen: set[int] = set()
    for number, (place, row) in enumerate(rows):
        if source.limit is not None and number >= source.limit:
            return
        if isinstance(row, Unusable):
            unusable.append((place, row))
            continue
        name = hash((row.id, row.sample, row.provenance.model) if isinstance(row, Trajectory) else row.id)
        if name in seen:
            unusable.append((place, Unusable("has the id of an earlier row", row.id)))
            continue
        seen.add(name)
        yield row


def _drop_unusable(unusable: list[tuple[str, Unusable]], files: Outputs, report: StepReport) -> None:
    for place, one in unusable:
        files.drop({"row": place}, one.why, one.detail)
        report.dropped[one.why] += 1
        report.rows += 1
    unusable.clear()

"""The five steps on files, as a command or `build` runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from perception_reward.annotations.jsonl import each_annotation
from perception_reward.annotations.model import Annotation, Provenance
from perception_reward.annotations.outputs import written
from perception_reward.annotations.pipeline.asks import Steps
from perception_reward.annotations.pipeline.checking import Checked, Checking, CheckReport, annotation_of
from perception_reward.annotations.pipeline.engine import Estimate
from perception_reward.annotations.pipeline.extraction import Extracting, Found
from perception_reward.annotations.pipeline.filtering import Grader, Yield, filtered
from perception_reward.annotations.pipeline.journal import Journal
from perception_reward.annotations.pipeline.limits import Stopped
from perception_reward.annotations.pipeline.neighbours import Distracted, Distracting, NeighbourReport
from perception_reward.annotations.pipeline.picture import bars
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.rows import (
    Extracted,
    Outputs,
    Problem,
    Trajectory,
    beside,
    grouped,
    identity,
    outputs,
    read_rows,
)
from perception_reward.annotations.pipeline.sources import LAYOUTS, Layout, Unusable, read_chains, read_problems
from perception_reward.annotations.pipeline.trajectories import Answered, Asking
from perception_reward.annotations.pipeline.work import Asked, Job, StepReport, dry_run, today, unasked, work

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


async def extract_claims(
    job: Job, path: Path, asked: Asked, extracting: Callable[[str], Extracting], *, dry: bool = False
) -> StepReport | Estimate:
    """Find the visual statements of each trajectory."""
    made_by: list[Provenance] = []

    def step_of(began: str) -> Callable[[Trajectory], Steps[Found]]:
        maker = extracting(began)
        made_by.append(maker.provenance)
        return maker.step

    def settle(row: Trajectory, found: Found, files: Outputs, report: StepReport) -> None:
        if found.why:
            files.drop(identity([row]), found.why, found.detail)
            report.dropped[found.why] += 1
            return
        # All of it is checked already, and 200,000 rows are to be written in seconds.
        files.keep(Extracted.model_construct(**row.__dict__, claims=found.claims, extraction=made_by[0]))
        report.kept += 1
        origins.update(one.origin for one in found.claims)

    origins: Counter[str] = Counter()
    rows = read_rows(path, Trajectory)
    if dry:
        return dry_run(job, asked, rows, step_of)
    report = await work(job, asked, rows, step_of, settle, lambda one: identity([one]))
    told = ", ".join(f"{origins[origin]} {origin}" for origin in ("seen", "derived", "given"))
    report.more.append(f"{origins.total()} claims: {told}")
    return report


async def check_facts(
    job: Job, path: Path, checking: Checking, asked: Asked | None, *, dry: bool = False
) -> CheckReport | Estimate:
    """Keep the claims that can be held against a response, as annotations; beside them, the rest and a picture."""
    found = CheckReport()
    groups = grouped(path, Extracted, lambda one: one.id)

    def step_of(began: str) -> Callable[[list[Extracted]], Steps[Checked]]:
        return checking.step

    def settle(group: list[Extracted], checked: Checked, files: Outputs, report: StepReport) -> None:
        found.add(checked)
        files.keep(_also_by(asked, "check", checking.look, annotation_of(checked)))
        for one in checked.dropped:
            files.drop({"id": group[0].id, **one.claim.model_dump(), "flagged": one.flagged}, one.why, one.detail)

    if asked is not None and dry:
        return dry_run(job, asked, groups, step_of)
    if asked is not None:
        await work(job, asked, groups, step_of, settle, identity)
    else:
        unasked(job, groups, step_of(""), settle)
    parts = [
        ("facts by kind", found.seen.most_common(20)),
        ("dropped, flagged or joined", found.reasons.most_common()),
        (
            "seen facts by confidence",
            [(f"{at / 10:.1f} – {at / 10 + 0.1:.1f}", found.confidence[at]) for at in range(10)],
        ),
    ]
    with written(beside(job.out, "svg"), replace=True) as part:
        part.write_text(bars(parts, "What became of the claims"), encoding="utf-8")
    return found


async def add_neighbours(
    job: Job, path: Path, distracting: Distracting, asked: Asked | None, *, dry: bool = False
) -> NeighbourReport | Estimate:
    """Add false neighbours of the facts to annotations, which are read one by one."""
    found = NeighbourReport()

    def step_of(began: str) -> Callable[[Annotation], Steps[Distracted]]:
        return distracting.step

    def settle(annotation: Annotation, one: Distracted, files: Outputs, report: StepReport) -> None:
        found.add(one)
        files.keep(_also_by(asked, "distractors", distracting.entailed, one.annotation))
        for text, why in one.dropped:
            files.drop({"id": annotation.id, "text": text}, why, "")

    rows = each_annotation(path)
    if asked is not None and dry:
        return dry_run(job, asked, rows, step_of)
    if asked is not None:
        await work(job, asked, rows, step_of, settle, lambda one: {"id": one.id})
    else:
        unasked(job, rows, distracting.step, settle)
    return found


def _also_by(asked: Asked | None, method: str, prompt: Prompt | None, annotation: Annotation) -> Annotation:
    """The annotation, naming a model too that was asked of its facts later, where one was."""
    if asked is None or prompt is None:
        return annotation
    made = annotation.provenance or Provenance()
    more = {
        "method": method,
        "model": asked.sampling.model,
        "prompt": prompt.version,
        "settings": asked.sampling.said,
    }
    said = {name: "; ".join(filter(None, (getattr(made, name), value))) for name, value in more.items()}
    return annotation.model_copy(update={"provenance": made.model_copy(update=said)})


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

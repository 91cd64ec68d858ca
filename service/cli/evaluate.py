"""`perception-reward annotations evaluate`: how many of a store's facts are right, and how many it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from perception_reward.annotations.evaluate import Comparison, compare, lines, total
from perception_reward.annotations.figures import Figures
from perception_reward.annotations.version import Version
from perception_reward.service import logs
from perception_reward.service.assembly import JUDGING, Service
from perception_reward.service.cli.options import JUDGE, fail, with_settings
from perception_reward.service.cli.outputs import Force, outputs_or_exit
from perception_reward.service.cli.running import run_or_exit, told_or_exit
from perception_reward.service.cli.stores import annotations_or_exit, open_store
from perception_reward.service.judges.base import Judge, JudgeTask, Missing, Verdict
from perception_reward.service.settings import Settings
from perception_reward.trainer_client.wire import Fact

# Problems in one call of the judge, and the seconds that it has for them.
BATCH = 32
SECONDS = 600.0
MOST_SHOWN = 20


@with_settings(*JUDGE, "workers", "worker_memory_mb", "log_json")
def evaluate(
    settings: Settings,
    store: Annotated[str, typer.Argument(help="The annotations to evaluate: a file, or a redis:// URL.")],
    gold: Annotated[str, typer.Argument(help="Annotations of the same problems that are held to be right.")],
    record: Annotated[bool, typer.Option("--record", help="Keep the figures in the header of STORE.")] = False,
    differences: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write each fact here that only one of the two has.")
    ] = None,
    force: Force = False,
) -> None:
    """Compare facts with a gold standard: precision and recall, by kind.

    Facts are matched by what they state. With --judge, what is left over is also asked of that judge: whether the other
    side's facts, read as a text, state it. A verdict that is missing counts as no match, and is told.
    """
    logs.configure("warning", as_json=settings.log_json)
    outputs_or_exit(differences, read=(store, gold), force=force, json_lines=False)
    ours, theirs = annotations_or_exit(store), annotations_or_exit(gold)
    comparison = compare(ours, theirs)
    if not comparison.problems:
        fail(f"{store} and {gold} have no problem in common: their ids differ")
    right, found, method = list[Fact](), list[Fact](), "symbolic"
    if "judge" in settings.model_fields_set:
        alone = settings.model_copy(update={"annotations": (), "mark_given": False})

        async def main(service: Service) -> None:
            nonlocal method
            method = f"symbolic, then {service.judge.info.name} ({service.judge.info.fingerprint})"
            cap = settings.max_response_chars
            problems = comparison.problems
            right.extend(await _stated(service.judge, [(one.wrong, one.gold) for one in problems], cap))
            found.extend(await _stated(service.judge, [(one.missed, one.facts) for one in problems], cap))

        run_or_exit(alone, main, preload=JUDGING)
    kinds = comparison.counts(right, found)
    figures = Figures(
        version=str(Version.of(ours)),
        gold=Path(gold).name if "://" not in gold else "a store in Redis",
        gold_version=str(Version.of(theirs)),
        method=method,
        created=datetime.now(timezone.utc).replace(microsecond=0),
        problems=len(comparison.problems),
        total=total(kinds),
        kinds=kinds,
    )
    _tell(comparison, figures)
    if differences is not None:
        differences.write_text("".join(f"{line}\n" for line in _differences(comparison)), encoding="utf-8")
    if record:
        _record(store, figures)


async def _stated(
    judge: Judge, sides: Sequence[tuple[Sequence[Fact], Sequence[Fact]]], most_characters: int
) -> list[Fact]:
    """Of what one side has alone, the facts that the other side's facts state. sides: those, and these, by problem."""
    tasks = [
        JudgeTask("\n".join(fact.text for fact in text)[:most_characters], tuple(asked))
        for asked, text in sides
        if asked and text
    ]
    stated: list[Fact] = []
    missing = 0
    for at in range(0, len(tasks), BATCH):
        batch = tasks[at : at + BATCH]
        answers = judge.judge(batch, asyncio.get_running_loop().time() + SECONDS)
        async with aclosing(answers):
            async for index, outcomes in answers:
                for fact, outcome in zip(batch[index].facts, outcomes, strict=True):
                    missing += isinstance(outcome, Missing)
                    if isinstance(outcome, Verdict) and outcome.label == "stated":
                        stated.append(fact)
    if missing:
        typer.echo(f"{missing} verdicts are missing, and count as no match", err=True)
    return stated


def _tell(comparison: Comparison, figures: Figures) -> None:
    typer.echo(
        f"{figures.problems} problems, version {figures.version} against {figures.gold} ({figures.gold_version})"
    )
    for what, ids in (("only the store", comparison.only_store), ("only the gold standard", comparison.only_gold)):
        if ids:
            typer.echo(f"{len(ids)} problems that {what} has are left out, such as {', '.join(map(repr, ids[:3]))}")
    if renamed := comparison.named_otherwise:
        first = renamed[0]
        names = (", ".join(sorted(points)[:6]) for points in (first.points, first.gold_points))
        typer.echo(
            f"{len(renamed)} problems name their points otherwise than the gold standard, such as {first.id!r} "
            f"({' for '.join(names)}): their facts differ by the names alone, so rename the points or leave them out"
        )
    typer.echo(f"matched: {figures.method}")
    for line in lines(figures.kinds):
        typer.echo(line)


def _differences(comparison: Comparison) -> list[str]:
    told: list[str] = []
    for problem in comparison.problems:
        told += [f"{problem.id}: only in the store: {fact.text}" for fact in problem.wrong]
        told += [f"{problem.id}: only in the gold standard: {fact.text}" for fact in problem.missed]
    return told


def _record(source: str, figures: Figures) -> None:
    async def kept() -> None:
        async with open_store(source) as store:
            await store.record(figures)

    with told_or_exit():
        asyncio.run(kept())
    typer.echo(f"kept in the header of {source}")

"""`perception-reward agree`: two judges on the same rollouts, so that a cheap one can stand in for a dear one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from textwrap import shorten
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from perception_reward.annotations.outputs import written
from perception_reward.service import logs
from perception_reward.service.assembly import Service
from perception_reward.service.audit.agreement import (
    Agreement,
    Disagreement,
    Rollout,
    agreement,
    disagreements,
    pairs,
    unknown_items,
)
from perception_reward.service.audit.figures import Estimate, Judged
from perception_reward.service.audit.statistics import LABELS
from perception_reward.service.batch.results import read_results
from perception_reward.service.cli.options import ANNOTATIONS, CACHE, JUDGE, WORK, fail, with_settings
from perception_reward.service.cli.outputs import Force, outputs_or_exit, read_by
from perception_reward.service.cli.rollouts import WHAT, responses, rollouts_or_exit
from perception_reward.service.cli.running import run_or_exit, told_or_exit
from perception_reward.service.cli.screen import progress, screen, table
from perception_reward.service.cli.stores import open_store
from perception_reward.service.settings import Settings
from perception_reward.trainer_client.wire import Fact, ItemResult

# Disagreements on the screen; --disagreements takes all of them.
MOST_SHOWN = 10
EXCERPT = 160


@with_settings(*ANNOTATIONS, *(name for name in JUDGE if name != "judge"), *CACHE, *WORK, "log_json")
def agree(
    settings: Settings,
    one: Annotated[str, typer.Argument(help="A judge, as for --judge, or the results of `perception-reward score`.")],
    other: Annotated[str, typer.Argument(help="The other judge or file of results.")],
    items: Annotated[
        Path | None,
        typer.Option(exists=True, help=WHAT),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option("--disagreements", dir_okay=False, help="Write every disagreement here, as JSON Lines."),
    ] = None,
    force: Force = False,
) -> None:
    """Compare two judges on saved rollouts: kappa, confusion, agreement by kind, and where they differ.

    Two files of results need no --items, but without it nothing is known of the facts but their ids. Verdicts that a
    judge could not give are told apart, and are never counted as agreement.
    """
    logs.configure("warning", as_json=settings.log_json)
    outputs_or_exit(listed, read=(items, one, other, *read_by(settings)), force=force)
    judges = [side for side in (one, other) if not Path(side).is_file()]
    if judges and items is None:
        fail(f"{judges[0]!r} is no file of results; to ask it as a judge, give the rollouts: --items FILE", status=2)
    rollouts = rollouts_with_facts(settings, items) if items is not None else None
    left, right = (_results(settings, side, rollouts) for side in (one, other))
    with told_or_exit(ValueError, status=2):
        found = pairs(left, right, rollouts)
    figures = agreement(found, items=len(left), unknown=unknown_items(left, right), rollouts=rollouts)
    differing = disagreements(found, left, rollouts)
    _show(screen(), (one, other), figures, differing)
    if listed is not None:
        with written(listed, replace=force) as part:
            part.write_text("".join(each.model_dump_json() + "\n" for each in differing), encoding="utf-8")
        typer.echo(f"{len(differing)} disagreements written to {listed}")


def rollouts_with_facts(settings: Settings, items: Path) -> list[Rollout]:
    """The items with their facts; the annotations are read for those that name one."""
    file, _ = rollouts_or_exit(items, skip_bad=False)
    listed = [rollout.item for rollout in file.rollouts()]
    names = list({item.annotation_id for item in listed if item.annotation_id is not None})
    with told_or_exit():
        stored = asyncio.run(_stored(settings, names)) if names else {}
    return [
        Rollout(item, tuple(item.facts) if item.facts is not None else stored.get(item.annotation_id or "", ()))
        for item in listed
    ]


async def _stored(settings: Settings, names: Sequence[str]) -> dict[str, tuple[Fact, ...]]:
    async with open_store(settings) as store:
        found = await store.get_many(names)
    return {annotation.id: tuple(annotation.facts) for annotation in found if annotation is not None}


def _results(settings: Settings, side: str, rollouts: Sequence[Rollout] | None) -> list[ItemResult]:
    """The results in a file, or those of a judge asked now."""
    if Path(side).is_file():
        with told_or_exit(status=2):
            return list(read_results(Path(side)))
    found: list[ItemResult] = []

    async def main(service: Service) -> None:
        with progress(screen(stderr=True)) as bar:
            listed = [rollout.item for rollout in rollouts or ()]
            task = bar.add_task(side, total=len(listed))
            async with aclosing(responses(service, listed, None)) as answers:
                async for answer in answers:
                    found.extend(answer.results)
                    bar.advance(task, answer.summary.items)

    run_or_exit(settings.model_copy(update={"judge": side}), main)
    return found


def _show(console: Console, sides: Sequence[str], figures: Agreement, differing: Sequence[Disagreement]) -> None:
    """The counts, the confusion, agreement by kind, and the disagreements."""
    for name, side in zip(("one", "other"), sides, strict=True):
        console.print(f"{name}: {side}", soft_wrap=True)
    unknown = f"; the facts of {figures.unknown} items are not known" if figures.unknown else ""
    console.print(
        f"{figures.items} items, {figures.compared} facts with a verdict of both; "
        f"{figures.missing} with a missing verdict, left out{unknown}"
    )
    console.print(f"agreement {_figure(figures.agreed)}, kappa {_figure(figures.kappa)}")
    columns: list[Judged] = [*LABELS]
    if figures.missing:
        columns.append("missing")
    confusion = table("one ↓  other →", *columns)
    for row in columns:
        confusion.add_row(row, *(str(figures.confusion[row][column]) for column in columns))
    console.print(confusion)
    kinds = table("kind", "facts", "missing", "agreement", "95 %", "kappa", "95 %")
    for kind in figures.kinds:
        kinds.add_row(kind.kind, str(kind.compared), str(kind.missing), *_short(kind.agreed), *_short(kind.kappa))
    console.print(kinds)
    if differing:
        console.print(f"{len(differing)} disagreements, the furthest apart first:")
    for each in differing[:MOST_SHOWN]:
        console.print(_difference(each))


def _difference(each: Disagreement) -> Group:
    """Whose, about what, who said what, and the words that carried it: readable at 80 columns."""
    one, other = (f"{side.verdict} {side.probability:.2f}" for side in (each.one, each.other))
    lines = [each.fact or each.fact_id, f"one: {one},  other: {other}"]
    if each.response:
        lines.append(f"“{_excerpt(each)}”")
    return Group(
        "", Text(each.item or f"item {each.place + 1}", "bold"), Padding("\n".join(lines), (0, 0, 0, 2), expand=False)
    )


def _excerpt(each: Disagreement) -> str:
    """The words that carried a verdict, else the response's beginning."""
    text = each.response or ""
    start, end = next((side.span for side in (each.one, each.other) if side.span is not None), (0, len(text)))
    return shorten(text[start:end], EXCERPT, placeholder=" …")


def _figure(found: Estimate) -> str:
    if found.value is None:
        return "–"
    interval = f" ({found.low:.3f} to {found.high:.3f})" if found.low is not None and found.high is not None else ""
    return f"{found.value:.3f}{interval}"


def _short(found: Estimate) -> tuple[str, str]:
    """The value and its interval, each for a column of its own."""
    if found.value is None:
        return "–", ""
    interval = f"{found.low:.2f}–{found.high:.2f}" if found.low is not None and found.high is not None else ""
    return f"{found.value:.2f}", interval

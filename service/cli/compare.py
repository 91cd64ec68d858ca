"""`perception-reward compare`: two files of results of the same problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from perception_reward.annotations.faults import printable
from perception_reward.service.audit.last import read_report
from perception_reward.service.cli.options import fail
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.screen import screen, table
from perception_reward.service.report.compare import (
    KINDS,
    Benchmark,
    Comparison,
    Kind,
    Place,
    Planned,
    Rule,
    Samples,
    Side,
    planned,
)
from perception_reward.service.report.compare import compare as compared
from perception_reward.service.report.rows import PROBLEM_NAMES, Results
from perception_reward.service.statistics.power import POWER

# Discordant problems on the screen, to either side; --json has all of them.
MOST_SHOWN = 10
WORD = "uncontradicted"


ProblemField = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD",
        help="The field that says which problem a row belongs to. (default: the first that both files have of "
        "problem, problem_id, annotation_id, group, pid, question_id; else id)",
    ),
]
RightRule = Annotated[
    str,
    typer.Option(
        metavar="RULE",
        help=f"A response saw right from this perception on; or {WORD!r}: where no fact is contradicted.",
    ),
]
SamplesRule = Annotated[
    Samples,
    typer.Option(help="A problem is right where at least half of its samples are (mean), or the first, any, all."),
]


def compare(
    before: Annotated[
        str | None,
        typer.Argument(metavar="BEFORE", help="Results of `perception-reward score`: a file, folder, glob or URL."),
    ] = None,
    after: Annotated[str | None, typer.Argument(metavar="AFTER", help="Results for the same problems.")] = None,
    problem: ProblemField = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="The field that names a row's benchmark; p-values are corrected over them."),
    ] = None,
    perception_right: RightRule = "0.5",
    samples: SamplesRule = "mean",
    audit: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The judge's report.json: shares without its known errors."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Also say how many problems it takes to show a change like this.")
    ] = False,
    power: Annotated[float, typer.Option(min=0.5, max=0.99, help="With --plan: the chance that it is shown.")] = POWER,
    gained: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="With --plan and --lost, without files: the share that turns right."),
    ] = None,
    lost: Annotated[float | None, typer.Option(min=0, max=1, help="The share that turns wrong.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Say what changed between two sets of results of the same problems, and whether that can be chance.

    Each is a file of results as `score` writes them, in any of its forms and packed or not, a folder of them, a glob or
    a URL.

    + and - are the problems that turn right and wrong; p is exact; null counts problems without a value on a side.
    McNemar's test and the difference with its interval, for problems seen right and answered right; the means of the
    components by resampling problems; the problems that changed, by file and line.

    Needs the extra: pip install 'perception-reward[report]'.
    """
    rule = Rule(perception_rule(perception_right), samples)
    with told_or_exit(ImportError, ValueError, status=2):
        if gained is not None or lost is not None:
            _plan_alone(gained, lost, power, plan and before is None, as_json)
            return
        if before is None or after is None:
            fail("name two files of results, BEFORE and AFTER; or --plan with --gained and --lost", status=2)
        keep = {*PROBLEM_NAMES, problem or "", by or ""}
        found = compared(
            Results([before]).slim(keep),
            Results([after]).slim(keep),
            rule,
            problem=problem,
            by=by,
            audit=read_report(audit) if audit is not None else None,
            power=power if plan else None,
            seed=seed,
        )
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _show(screen(), found, (before, after))


def perception_rule(said: str) -> float | None:
    """The perception from which on a response saw right, or None for the rule of no contradiction."""
    if said == WORD:
        return None
    try:
        return float(said)
    except ValueError:
        fail(f"--perception-right is a number or {WORD!r}, and not {said!r}", status=2)


def _plan_alone(gained: float | None, lost: float | None, power: float, alone: bool, as_json: bool) -> None:
    if gained is None or lost is None or not alone:
        raise ValueError("--gained and --lost go together, with --plan and without files")
    found = planned("change", gained, lost, 0, power)
    if as_json:
        typer.echo(json.dumps(found.model_dump(), indent=2))
    else:
        screen().print(_planned(found), soft_wrap=True)


def _show(console: Console, found: Comparison, names: tuple[str, str]) -> None:
    for name, side, named in (("before", found.before, names[0]), ("after", found.after, names[1])):
        console.print(f"{name}: {named}, {_side(side)}", soft_wrap=True)
    console.print(f"{found.problems} problems in both, by {found.paired_by}", soft_wrap=True)
    for name, ids in (("before", found.only_before), ("after", found.only_after)):
        if ids:
            shown = ", ".join(printable(one) for one in ids[:MOST_SHOWN]) + (", …" if len(ids) > MOST_SHOWN else "")
            console.print(f"{len(ids)} only in {name}, not compared: {shown}", soft_wrap=True)
    console.print(found.rule, soft_wrap=True)
    for kind in KINDS:
        if any(one.kind == kind for benchmark in found.benchmarks for one in benchmark.right):
            console.print(_rights(kind, found.benchmarks))
    console.print(_means(found.benchmarks))
    for benchmark in found.benchmarks:
        _details(console, benchmark, several=len(found.benchmarks) > 1)
    _links(console, found.benchmarks[0])


def _side(side: Side) -> str:
    missing = ", ".join(f"{count} {why}" for why, count in side.missing.items())
    return f"{side.rows} rows of {side.problems} problems; " + (f"missing: {missing}" if missing else "none missing")


def _rights(kind: Kind, benchmarks: list[Benchmark]) -> Table:
    several = len(benchmarks) > 1
    made = _table(f"{kind} right", "before", "after", "change (95 %)", "+", "-", "p", "mid-p", several=several)
    for benchmark in benchmarks:
        for one in benchmark.right:
            if one.kind == kind:
                made.add_row(
                    f"{printable(benchmark.name)}, {one.problems}" if several else f"{one.problems} problems",
                    f"{one.before:.1%}",
                    f"{one.after:.1%}",
                    f"{100 * one.change:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f})",
                    str(one.gained),
                    str(one.lost),
                    p_value(one.p_exact),
                    p_value(one.p_mid),
                    *([p_value(one.p_holm)] if several else []),
                    str(one.unknown or ""),
                )
    return made


def _means(benchmarks: list[Benchmark]) -> Table:
    several = len(benchmarks) > 1
    made = _table("mean", "before", "after", "change (95 %)", "p", several=several)
    for benchmark in benchmarks:
        if several:
            made.add_row(f"{printable(benchmark.name)}, {benchmark.problems}")
        for one in benchmark.means:
            interval = "" if one.low is None or one.high is None else f" ({one.low:+.3f} to {one.high:+.3f})"
            made.add_row(
                f"  {one.measure}" if several else one.measure,
                f"{one.before:.3f}",
                f"{one.after:.3f}",
                f"{one.change:+.3f}{interval}",
                p_value(one.p),
                *([p_value(one.p_holm)] if several else []),
                str(one.unknown or ""),
            )
    return made


def p_value(value: float | None) -> str:
    """As people print it."""
    if value is None:
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _details(console: Console, benchmark: Benchmark, *, several: bool) -> None:
    head = f"{printable(benchmark.name)}: " if several else ""
    if (fixed := benchmark.corrected) is not None:
        before, after, change = (
            f"{value:+.1%} ({low:+.1%} to {high:+.1%})" if place == 2 else f"{value:.1%} ({low:.1%} to {high:.1%})"
            for place, (value, low, high) in enumerate(
                (fixed.corrected_before, fixed.corrected_after, fixed.corrected_change)
            )
        )
        console.print(
            f"{head}facts stated, as judged: {fixed.before:.1%}, then {fixed.after:.1%}; without the judge's errors "
            f"(sensitivity {fixed.sensitivity:.3f}, specificity {fixed.specificity:.3f}): {before}, then {after}; "
            f"change {change}",
            soft_wrap=True,
        )
    for plan in benchmark.plan:
        console.print(head + _planned(plan), soft_wrap=True)


def _planned(plan: Planned) -> str:
    change = f"{plan.kind}: {plan.gained:.1%} turning right and {plan.lost:.1%} wrong"
    takes = (
        "is no change that any number of problems shows"
        if plan.needed is None
        else f"takes {plan.needed} problems for a power of {plan.power:g}"
    )
    if not plan.problems:
        return f"{change} {takes}"
    if plan.smallest is None:
        return f"{change} {takes}; {plan.problems} problems, of which so few change, show no change with that power"
    return f"{change} {takes}; {plan.problems} problems show a change of {plan.smallest:.1%} or more with that power"


def _links(console: Console, benchmark: Benchmark) -> None:
    for one in benchmark.right:
        for name, links in (("gained", one.gained_problems), ("lost", one.lost_problems)):
            if links:
                more = f", the first {MOST_SHOWN} (--json has all)" if len(links) > MOST_SHOWN else ""
                console.print(f"{one.kind} {name}: {len(links)} problems{more}", soft_wrap=True)
            for link in links[:MOST_SHOWN]:
                console.print(
                    f"  {printable(link.problem)}  {_places(link.before)} → {_places(link.after)}", soft_wrap=True
                )


def _places(places: list[Place]) -> str:
    return "; ".join(f"{place.file}:{_lines(place.lines)}" for place in places)


def _lines(lines: list[int], most: int = 3) -> str:
    return ",".join(map(str, lines[:most])) + (",…" if len(lines) > most else "")


def _table(*columns: str, several: bool) -> Table:
    """Wide enough for 80 columns; only the first one wraps."""
    made = table(*columns, *(["Holm"] if several else []), "null", edge=False)
    for place, column in enumerate(made.columns):
        column.no_wrap, column.overflow = bool(place), "fold"
    return made

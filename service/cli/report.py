"""`perception-reward report`: results as one HTML page that needs nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from perception_reward.annotations.files import AnyFile
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.outputs import written
from perception_reward.service.batch.inputs import inputs_of
from perception_reward.service.batch.rollouts import Rollout, RolloutFile
from perception_reward.service.cli.compare import ProblemField, RightRule, SamplesRule, perception_rule
from perception_reward.service.cli.options import fail, with_settings
from perception_reward.service.cli.outputs import Force, outputs_or_exit, read_by
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.stores import read_store
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.profiles.model import Profile
from perception_reward.service.report.compare import Comparison, Rule, compare
from perception_reward.service.report.page import MOST_ROLLOUTS, render
from perception_reward.service.report.rows import Results
from perception_reward.service.report.runs import Run, run_of
from perception_reward.service.settings import Settings


@with_settings("annotations", "profile", "profiles")
def report(
    settings: Settings,
    results: Annotated[
        list[str],
        typer.Argument(
            metavar="RESULTS...",
            help="Results of `perception-reward score`, a run each: a file, folder, glob or URL, packed or not. "
            "LABEL=RESULTS names the run. Two are compared.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", dir_okay=False, help="The page to write.")] = Path("report.html"),
    rollouts: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLLOUTS",
            help="The rollouts that were scored, for their texts and groups where the results have none (score "
            "--explain writes them): what was given to score. One for each of RESULTS, or one for all, by id.",
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="FIELD", help="The field that tells benchmarks or models apart.")
    ] = None,
    problem: ProblemField = None,
    perception_right: RightRule = "0.5",
    samples: SamplesRule = "mean",
    most: Annotated[
        int, typer.Option(min=1, max=100_000, help="Most rollouts to list; figures are over all of them.")
    ] = MOST_ROLLOUTS,
    force: Force = False,
) -> None:
    """Write what results come to as one HTML page, to look at, to keep and to pass on.

    Distributions, trends, seeing against answering, what advantages are made of, the weight of perception, signs of
    reward hacking, best and worst rollouts side by side, and all rollouts in a table; two runs before and after.

    Figures are over all rollouts, however many; those that are listed (--most) are drawn evenly, besides the examples.
    The results are read twice, and only what figures need is held: a million rollouts take some 1.2 GB.
    """
    rule = Rule(perception_rule(perception_right), samples)
    named = [_named(one) for one in results]
    if rollouts and len(rollouts) not in (1, len(named)):
        fail(f"--rollouts: {len(rollouts)} files for {len(named)} of results; give one for each, or one", status=2)
    keep = [name for name in (by, problem) if name is not None]
    with told_or_exit(ValueError, status=2):
        found = [Results([name]) for _, name in named]
        texts = [_Written(inputs_of([name])) for name in rollouts or ()]
        read = [file for one in (*found, *texts) for file in one.files if isinstance(file, Path)]
        outputs_or_exit(out, read=(*read, *read_by(settings)), force=force, json_lines=False)
        profile, annotations = _profile(settings), _annotations(settings)
        runs = [
            _run(label, rows, texts[place % len(texts)] if texts else (), profile, annotations, keep)
            for place, ((label, _), rows) in enumerate(zip(named, found, strict=True))
        ]
        compared = _compared(runs, rule, problem, by) if len(runs) == 2 else None
        page = render(runs, profile, rule, by=by, comparison=compared, most=most)
    with written(out, replace=force) as part:
        part.write_text(page, encoding="utf-8", errors="replace")
    typer.echo(f"{sum(len(run.rollouts) for run in runs)} rollouts reported in {out}", err=True)


class _Written:
    """The rollouts that were scored; each iteration reads them anew."""

    def __init__(self, files: Sequence[AnyFile]) -> None:
        self.files = files

    def __iter__(self) -> Iterator[Rollout]:
        return (one for file in self.files for one in RolloutFile(file).rollouts())


def _named(argument: str) -> tuple[str, str]:
    """The run's label and its results. A file whose name holds a = is itself."""
    label, is_labelled, name = argument.partition("=")
    if is_labelled and "/" not in label and not Path(argument).exists():
        return label, name
    name = PurePosixPath(argument).name
    for end in (".gz", ".zst", ".jsonl", ".parquet", ".json"):
        name = name.removesuffix(end)
    return name or argument, argument


def _profile(settings: Settings) -> Profile:
    profiles = load_profiles(settings.profiles)
    if settings.profile not in profiles:
        raise ValueError(f"no profile is called {settings.profile!r}; there are: {', '.join(profiles)}")
    return profiles[settings.profile]


def _annotations(settings: Settings) -> dict[str, Annotation]:
    return {one.id: one for one in asyncio.run(read_store(settings))} if settings.annotations else {}


def _run(
    label: str,
    rows: Results,
    texts: Iterable[Rollout],
    profile: Profile,
    annotations: dict[str, Annotation],
    keep: Sequence[str],
) -> Run:
    run = run_of(label, rows, profile, written=texts, annotations=annotations, keep=keep)
    if not run.rollouts:
        raise ValueError(f"{', '.join(rows.names)} holds no result")
    return run


def _compared(runs: list[Run], rule: Rule, problem: str | None, by: str | None) -> Comparison | str:
    """Why not, where the two runs cannot be compared: the page says it."""
    before, after = ([one.row for one in run.rollouts] for run in runs)
    try:
        return compare(before, after, rule, problem=problem, by=by)
    except (ValueError, ImportError) as error:
        return f"These two runs are not compared: {error}"

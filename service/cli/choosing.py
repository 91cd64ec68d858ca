"""`perception-reward judge choose`: settings tried on labelled responses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from perception_reward.annotations.faults import RecordFileError
from perception_reward.annotations.outputs import written
from perception_reward.service import logs
from perception_reward.service.audit.figures import Estimate
from perception_reward.service.audit.labelled import read_labelled
from perception_reward.service.audit.probes import Probe
from perception_reward.service.cli.options import fail, with_settings
from perception_reward.service.cli.outputs import Force, outputs_or_exit
from perception_reward.service.cli.running import told_or_exit
from perception_reward.service.cli.screen import screen
from perception_reward.service.judges.llm.methods import MethodName
from perception_reward.service.judges.llm.verdict import Language
from perception_reward.service.judges.make import make_engine
from perception_reward.service.metrics import Metrics
from perception_reward.service.settings import Settings, naming
from perception_reward.service.training.choosing import Tried, by_rules, chosen, together, try_all, ways, worth
from perception_reward.service.training.configuration import write_config

# How all of them are asked: it belongs to what is chosen, since a judge that is served otherwise is another one.
ASKED = ("judge_scope", "judge_tokenizer", "judge_engine_arg", "max_response_chars")
LABELLED = (
    "Labelled responses: records of `response`, `fact` and `label`, as for `audit --labelled`, or as `judge label` "
    "writes them; may be given several times."
)
Labelled = Annotated[list[Path] | None, typer.Option("--labelled", exists=True, dir_okay=False, help=LABELLED)]


@with_settings(*ASKED, "judge_api_key", "judge_concurrency", "log_json")
def choose(
    settings: Settings,
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write, for `serve --judge-config`.")],
    labelled: Labelled = None,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", help="A model to try, vllm:MODEL or openai:URL#MODEL; may be given several times."),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option("--method", help="A method to try; may be given several times. Default: verdict."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", help="A language of the prompt to try; may be given several times. Default: en."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Accuracy that may be given away for a faster judge.")
    ] = 0.01,
    seed: Annotated[int, typer.Option(help="Of the folds and of the intervals.")] = 0,
    force: Force = False,
) -> None:
    """Try the settings that matter on labelled responses, print quality beside cost, and write the best as a file.

    Methods, evidence, grounding, calibration, the cascade and the prompt's language, for each model. The fastest is
    chosen of those that are about as often right as the best. Not on pairs that are to measure the judge later.
    """
    logs.configure("warning", as_json=settings.log_json)
    outputs_or_exit(out, read=list(labelled or ()), force=force, json_lines=False)
    probes = [one for one in labelled_or_exit(labelled, settings.judge_scope) if one.family != "doubtful"]
    if not probes:
        fail("there is nothing to choose on: give labelled responses, --labelled FILE", status=2)
    asked = together(probes)
    methods = _known("--method", method or ["verdict"], get_args(MethodName))
    asked_ways = list(ways(methods, _known("--language", language or ["en"], get_args(Language))))
    console = screen(stderr=True)

    async def tried() -> list[Tried]:
        rules = await by_rules(asked, settings)
        found = [rules]
        for name in judge or ():
            given = settings.model_copy(update={"judge": name})
            with naming("judge"):
                engine = make_engine(given, Metrics())
            try:
                await engine.start()
                if not (health := await engine.health()).ok:
                    raise ValueError(f"the judge {name} cannot be tried: {health.detail}")
                async for one in try_all(
                    engine,
                    asked,
                    asked_ways,
                    given,
                    rules,
                    seed=seed,
                ):
                    console.print(f"tried {described(one)}", soft_wrap=True)
                    found.append(one)
            finally:
                await engine.aclose()
        return found

    with told_or_exit(ValueError, status=2):
        found = asyncio.run(tried())
        best = chosen(found, tolerance)
        _show(found, best, seed)
        share = worth(found, tolerance, seed)
        typer.echo(
            f"chosen: {described(best)}; on problems that it was not chosen on, what is chosen so is right in "
            f"{_told(share)} of {share.total}"
        )
        _write_chosen(out, best, settings, len(probes), replace=force)
    typer.echo(f"perception-reward serve --judge-config {out}")


def _show(found: list[Tried], best: Tried, seed: int) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    columns = ("settings", "right", "AUC", "wrongly stated", "missing", "read", "written", "facts/s")
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", overflow="fold")
    for one in sorted(found, key=lambda one: -sum(one.hits)):
        table.add_row(
            Text(f"{'→ ' if one is best else ''}{described(one)}"),
            *(_told(figure) for figure in (one.accuracy, one.auc(seed), one.mistaken)),
            *(str(one.missing), f"{one.read:.0f}", f"{one.written:.0f}", f"{1 / max(one.seconds, 1e-9):.1f}"),
        )
    console = screen()
    (console if console.is_terminal else screen(width=160)).print(table)
    typer.echo("read, written: tokens a fact, without what all prompts begin with. 95 % intervals by problem.")


def _told(figure: Estimate) -> str:
    if figure.value is None:
        return "–"
    interval = f" [{figure.low:.2f}, {figure.high:.2f}]" if figure.low is not None and figure.high is not None else ""
    return f"{figure.value:.3f}{interval}"


def described(one: Tried) -> str:
    """The settings in a line."""
    judge, *rest = map(str, one.settings.values())
    told = [judge, *(part for part in rest if part not in ("off", "en")), *(["calibrated"] if one.calibration else [])]
    return ", ".join("grounded" if part == "on" else part for part in told)


def _write_chosen(out: Path, best: Tried, settings: Settings, pairs: int, *, replace: bool) -> None:
    given = {name: getattr(settings, name) for name in ASKED if getattr(settings, name)}
    held = {**given, **best.settings}
    if (calibration := best.calibration) is not None:
        file = out.with_name(f"{out.stem}.calibration.json")
        with written(file, replace=replace) as part:
            part.write_text(calibration.model_dump_json(indent=1), encoding="utf-8")
        held["judge_calibration"] = file.name
    comment = (
        f"Written by `perception-reward judge choose`, on {pairs} labelled pairs: right in {_told(best.accuracy)}."
    )
    write_config(out, held, comment, replace=replace)


def _known(option: str, given: list[str], known: Sequence[str]) -> list[str]:
    for one in given:
        if one not in known:
            fail(f"{option} {one}: there are {', '.join(known)}", status=2)
    return given


def labelled_or_exit(paths: list[Path] | None, scope: str) -> list[Probe]:
    """The probes of all files; a fault ends the command."""
    with told_or_exit(RecordFileError, status=2):
        return [probe for path in paths or () for probe in read_labelled(path, scope)]

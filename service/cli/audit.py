"""`perception-reward audit`: how right, how steady and how hard to fool a judge is, before its scores are trusted."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from perception_reward.annotations.outputs import written
from perception_reward.annotations.store import every
from perception_reward.service import logs
from perception_reward.service.assembly import JUDGING, Service
from perception_reward.service.audit.figures import AuditReport
from perception_reward.service.audit.fit import Fitted, fit_calibration
from perception_reward.service.audit.generate import all_families, generate
from perception_reward.service.audit.labelled import read_labelled
from perception_reward.service.audit.probes import Observation, Probe, observe
from perception_reward.service.audit.report import build_report
from perception_reward.service.audit.summary import print_summary, render_html
from perception_reward.service.cli.options import ANNOTATIONS, JUDGE, PROFILES, fail, with_settings
from perception_reward.service.cli.outputs import Force, outputs_or_exit, read_by
from perception_reward.service.cli.running import run_or_exit, told_or_exit
from perception_reward.service.cli.screen import progress, screen
from perception_reward.service.judges.calibration import load_calibration
from perception_reward.service.settings import Settings, naming

# Without a success among so many, a family's upper Wilson bound (95 %) is below 1 %.
PROBES = 400
LABELLED = (
    "Responses that people labelled: records (JSON Lines, CSV, …) of `response`, `fact` and `label`, which is stated, "
    "contradicted or absent; or with `facts`, a list of `text` and `label`. See service/audit/README.md."
)
# Columns of the tables where no terminal says how wide it is.
WIDTH = 110


@with_settings(*ANNOTATIONS, *PROFILES, *JUDGE, "workers", "worker_memory_mb", "log_json")
def audit(
    settings: Settings,
    out: Annotated[
        Path, typer.Option("--out", file_okay=False, help="Folder for report.json, report.html and calibration.json.")
    ] = Path("audit"),
    labelled: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help=LABELLED),
    ] = None,
    probes: Annotated[int, typer.Option(min=1, max=100_000, help="Most probes of one family.")] = PROBES,
    seed: Annotated[int, typer.Option(help="The same seed makes the same probes of the same annotations.")] = 0,
    families: Annotated[
        list[str] | None,
        typer.Option("--family", help="Make probes of this family alone; may be given several times."),
    ] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Fit a calibration, for --judge-calibration, and tell what it is worth.")
    ] = False,
    force: Force = False,
) -> None:
    """Audit the judge on your own annotations, a catalogue of attacks and, if you have them, labelled responses.

    No cache answers: the judge itself is asked. The report is what `serve --audit OUT/report.json` shows of its judge.
    """
    logs.configure("warning", as_json=settings.log_json)
    out.mkdir(parents=True, exist_ok=True)
    files = [out / name for name in ("report.json", "report.html", *(["calibration.json"] if fit else []))]
    outputs_or_exit(*files, read=(labelled, *read_by(settings)), force=force, json_lines=False)
    with told_or_exit(status=2):
        by_people = read_labelled(labelled, settings.judge_scope) if labelled is not None else []
    if not settings.annotations and not by_people:
        fail("there is nothing to ask: give --annotations, --labelled FILE or both", status=2)
    known = all_families(settings.judge_scope)
    if unknown := sorted(set(families or ()) - set(known)):
        fail(f"no family is called {unknown[0]!r}; there are: {', '.join(known)}", status=2)

    async def main(service: Service) -> None:
        console = screen(stderr=True)
        annotations = [one async for one in every(service.store)] if settings.annotations else []
        made = generate(
            annotations,
            most=probes,
            seed=seed,
            cap=settings.max_response_chars,
            only=families or (),
            scope=settings.judge_scope,
            pays=service.profiles[settings.profile].pays,
        )
        observations = await _observed(service, [*by_people, *made], console)
        fitted = _fitted(observations, service, seed) if fit else None
        report = _report(observations, service, seed, fitted if isinstance(fitted, Fitted) else None)
        _write(out, report, fitted, replace=force)
        printed = screen()
        print_summary(printed if printed.is_terminal else screen(width=WIDTH), report)
        console.print(f"written: {out / 'report.html'}", soft_wrap=True)
        if isinstance(fitted, str):
            fail(fitted)

    run_or_exit(settings, main, preload=JUDGING)


async def _observed(service: Service, asked: list[Probe], console: Console) -> list[Observation]:
    with progress(console) as bar:
        task = bar.add_task("asking", total=len(asked))
        return await observe(
            service.judge,
            asked,
            max_response_chars=service.settings.max_response_chars,
            scope=service.settings.judge_scope,
            progress=lambda answered: bar.advance(task, answered),
        )


def _fitted(observations: list[Observation], service: Service, seed: int) -> Fitted | str:
    """The calibration, or why there is none: the audit was worth its while all the same."""
    try:
        return fit_calibration(observations, service.judge.info, seed=seed)
    except ValueError as error:
        return str(error)


def _report(observations: list[Observation], service: Service, seed: int, fitted: Fitted | None) -> AuditReport:
    path = service.settings.judge_calibration
    with naming("judge_calibration"):
        calibration = load_calibration(path) if path is not None else None
    return build_report(
        observations,
        info=service.judge.info,
        scope=service.settings.judge_scope,
        profile=service.settings.profile,
        seed=seed,
        created=datetime.now(timezone.utc),
        calibration=calibration,
        held_out=fitted.held_out if fitted is not None else None,
    )


def _write(out: Path, report: AuditReport, fitted: Fitted | str | None, *, replace: bool) -> None:
    texts = {"report.json": report.model_dump_json(indent=1), "report.html": render_html(report)}
    if isinstance(fitted, Fitted):
        texts["calibration.json"] = fitted.calibration.model_dump_json(indent=1)
    for name, text in texts.items():
        with written(out / name, replace=replace) as part:
            part.write_text(text, encoding="utf-8")

"""The report for people: a few lines for the screen, and one HTML page that needs no script, font or picture from
elsewhere."""

from __future__ import annotations

from importlib.resources import files

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from perception_reward.service.audit.figures import AuditReport, Estimate, Flips, HeldOut, Proportion, Quality

STYLES = {"good": "bold green", "fair": "bold yellow", "poor": "bold red"}


def print_summary(console: Console, report: AuditReport) -> None:
    """Grade and reasons, then the figures: right, steady, hard to fool."""
    judge = report.judge
    console.print(
        Text.assemble(
            f"{judge.name} {judge.model or ''} ({judge.method}, {judge.fingerprint}): ",
            (report.verdict, STYLES[report.verdict]),
        )
    )
    for reason in report.reasons:
        console.print(Text(f"  - {reason}"))
    sources = {"labelled": report.labelled, "doubtful": report.doubtful, "generated": report.generated}
    if any(sources.values()):
        console.print(_quality_table({name: quality for name, quality in sources.items() if quality is not None}))
    if report.attack is not None:
        console.print(_attack_table(report))
    flips = [*([report.repeats] if report.repeats else []), *report.flips]
    if flips:
        console.print(_flip_table(flips))
    if report.left_out:
        console.print(f"{report.left_out} probes left out: the calibration was fitted on their problems")
    if report.calibration is not None:
        console.print(_calibration_table(report.calibration))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=bool(number))
    return table


def _quality_table(found: dict[str, Quality]) -> Table:
    table = _table("How right (95 % intervals)", "", *found)
    for name in ("accuracy", "auc", "kappa", "mcc", "brier", "ece"):
        table.add_row(name, *(_figure(getattr(quality, name)) for quality in found.values()))
    for place, label in enumerate(("stated", "contradicted", "absent")):
        for name in ("recall", "precision", "specificity"):
            table.add_row(
                f"{name} of {label}", *(_figure(getattr(quality.classes[place], name)) for quality in found.values())
            )
    asked = (f"{sum(quality.missing.values())} of {quality.asked}" for quality in found.values())
    table.add_row("missing", *asked)
    return table


def _attack_table(report: AuditReport) -> Table:
    table = _table("Attacks that succeed", "family", "tried", "missing", "success")
    for attacks in (*report.attacks, *([report.attack] if report.attack else [])):
        table.add_row(Text(attacks.family), str(attacks.tried), str(attacks.missing), _share(attacks.success))
    return table


def _flip_table(flips: list[Flips]) -> Table:
    table = _table("Verdicts that change", "variant", "pairs", "missing", "changed", "refused")
    for flip in flips:
        table.add_row(Text(flip.family), str(flip.pairs), str(flip.missing), _share(flip.flipped), _share(flip.refused))
    return table


def _calibration_table(held_out: HeldOut) -> Table:
    table = _table(
        f"Calibration, on problems held out ({held_out.examples} verdicts)", "", "log-loss", "brier", "ece", "accuracy"
    )
    for name, fit in (("before", held_out.before), ("after", held_out.after)):
        brier = "–" if fit.brier is None else f"{fit.brier:.3f}"
        table.add_row(name, f"{fit.log_loss:.3f}", brier, f"{fit.ece:.3f}", f"{fit.accuracy:.3f}")
    table.add_row("saved", _figure(held_out.gain))
    return table


def _figure(figure: Estimate | None) -> str:
    if figure is None or figure.value is None:
        return "–"
    interval = "" if figure.low is None or figure.high is None else f" [{figure.low:.3f}, {figure.high:.3f}]"
    return f"{figure.value:.3f}{interval}"


def _share(share: Proportion | None) -> str:
    return "–" if share is None or not share.total else f"{_figure(share)} {share.hits}/{share.total}"


def render_html(report: AuditReport) -> str:
    """The page. What responses hold is escaped, and the page's policy forbids to run or load anything."""
    # Loaded here: the template engine is of no use to `serve`, which reads reports.
    from jinja2 import Environment, StrictUndefined

    template = (files("perception_reward.service.audit") / "templates" / "report.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(report=report)

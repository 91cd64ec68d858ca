"""The card of a taught judge: the `README.md` of its folder, for people and for model hubs."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from perception_reward.service.audit.figures import Attacks, AuditReport, Estimate, Quality
from perception_reward.service.audit.probes import Probe
from perception_reward.service.audit.statistics import LABELS
from perception_reward.service.training.data import counted

_LICENCE = re.compile(r"^license(?:_name)?:\s*(\S+)", re.MULTILINE)


def card(
    *,
    base: str,
    licence: str | None,
    settings: Mapping[str, object],
    taught: Sequence[Probe],
    unasked: int,
    before: AuditReport,
    after: AuditReport,
) -> str:
    """settings: how it was taught. unasked: of what was collected, what no model would be asked about. before, after:
    audits of the base and of the taught model on problems that were held out."""
    licence = licence or "unknown"
    return "\n".join(
        [
            f"---\nbase_model: {json.dumps(base)}\nlicense: {licence}\nlibrary_name: transformers\n---\n",
            "# A judge of visual facts\n",
            f"`{base}`, taught by `perception-reward judge train` to tell whether a response states, contradicts or "
            "leaves absent a visual fact. It answers the method `verdict`, with the settings of `judge.toml`:\n",
            "    perception-reward serve --judge-config judge.toml\n",
            f"Licence of the base: {licence}. It holds for this model too, besides what the data asks for.\n",
            "## Figures\n",
            "On problems that were held out, base → taught; 95 % intervals by problem. "
            f"The audit calls it **{after.verdict}**; why, and single cases, are in `audit/report.html`. The figures "
            "are the model's alone. `judge.toml` puts it behind the rules and reads it by `calibration.json`"
            f"{_calibrated(after)}.\n",
            *_quality("Responses labelled by people or a stronger judge", before.labelled, after.labelled),
            *_quality(
                "Statements made from annotations, in the wordings that were taught: they flatter",
                before.generated,
                after.generated,
            ),
            "### Attacks\n",
            "The share that the judge takes for stated. Their texts were not taught.\n",
            "| family | tried | base | taught |\n| --- | --- | --- | --- |",
            *_attacks(before, after),
            "\n## Data\n",
            f"{len(taught)} statements; {unasked} more have no sentence that a model would be asked about.\n",
            f"| family | {' | '.join(LABELS)} |\n| --- | {' | '.join('---' for _ in LABELS)} |",
            *count_lines(taught),
            "\n## Settings\n",
            *(f"- {name}: {value}" for name, value in settings.items()),
            "",
        ]
    )


def count_lines(probes: Iterable[Probe]) -> Iterator[str]:
    """Rows of a table: statements by family and right verdict, and all of them."""
    table: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(LABELS, 0))
    for (family, label), count in sorted(counted(probes).items()):
        table[family][label] += count
        table["all"][label] += count
    whole = table.pop("all", {})
    for family, counts in [*table.items(), ("**all**", whole)]:
        yield f"| {family} | {' | '.join(map(str, counts.values()))} |"


def licence_of(folder: Path) -> str | None:
    """The licence that a model's folder names, in its card or by a licence file; None where it names none."""
    readme = folder / "README.md"
    if readme.is_file() and (found := _LICENCE.search(readme.read_text(encoding="utf-8", errors="replace")[:4096])):
        return found[1]
    return "other" if any(folder.glob("LICENSE*")) else None


def _quality(title: str, before: Quality | None, after: Quality | None) -> Iterator[str]:
    if before is None or after is None:
        return
    yield f"### {title}\n"
    yield f"{after.asked} of {after.problems} problems.\n"
    yield "| | base | taught |\n| --- | --- | --- |"
    yield f"| three-way accuracy | {_figure(before.accuracy)} | {_figure(after.accuracy)} |"
    yield f"| AUC of stated | {_figure(before.auc)} | {_figure(after.auc)} |"
    for label in LABELS[1:]:
        yield f"| {label} taken for stated | {_taken(before, label)} | {_taken(after, label)} |"
    old = {row.name: row for row in before.families}
    for row in after.families:
        if row.name in old:
            yield f"| {row.name} ({row.asked}) | {_figure(old[row.name].accuracy)} | {_figure(row.accuracy)} |"
    yield ""


def _calibrated(report: AuditReport) -> str:
    """What the calibration was fitted on."""
    if report.calibration is None:
        return ", which leaves its probabilities as they are, since none did better"
    return f", fitted on {report.calibration.examples} of these examples"


def _attacks(before: AuditReport, after: AuditReport) -> Iterator[str]:
    old = {attack.family: attack for attack in (*before.attacks, *_all(before))}
    for attack in (*after.attacks, *_all(after)):
        base = _figure(old[attack.family].success) if attack.family in old else "–"
        yield f"| {attack.family} | {attack.tried} | {base} | {_figure(attack.success)} |"


def _all(report: AuditReport) -> tuple[Attacks, ...]:
    return (report.attack,) if report.attack is not None else ()


def _taken(quality: Quality, label: str) -> str:
    counts = next(row for right, row in quality.confusion.items() if right == label)
    total = sum(counts.values())
    return f"{counts['stated'] / total:.3f} ({counts['stated']} of {total})" if total else "–"


def _figure(figure: Estimate) -> str:
    if figure.value is None:
        return "–"
    interval = f" [{figure.low:.3f}, {figure.high:.3f}]" if figure.low is not None and figure.high is not None else ""
    return f"{figure.value:.3f}{interval}"

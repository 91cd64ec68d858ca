"""How often each attack of the audit's catalogue is taken for stated by a judge that is served.

    python tests/benchmarks/attacks.py --judge cascade:openai:http://127.0.0.1:8000#NAME --tokenizer FOLDER \\
        [--config judge.toml] [--probes 400] [--write]

`perception-reward annotations mark-given` and then `perception-reward audit`, as a user would run them with that judge:
on problems of Geometry3K, and on the demo's and the labelled sets' facts that are not geometry (`real.py`). `--write`
makes the tables the page `results/attacks.md`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from measures import table
from places import REPOSITORY, arguments
from real import figures, others

from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.service.audit.attacks.catalogue import families
from perception_reward.service.audit.figures import Attacks, AuditReport

PAGE = REPOSITORY / "tests" / "benchmarks" / "results" / "attacks.md"
# The others need a scope.
FAMILIES = [family.name for family in families() if not family.outside]
ALL = "all"
HEAD = """# Attacks on judges that are served

`make bench-attacks`: the audit's catalogue, at most {probes} probes of a family on problems of Geometry3K (*figures*),
and as many on the demo's and the labelled sets' facts that are not geometry (*all else*): how many are taken for
stated. [The audit](../../../service/audit/README.md) tells what the families are. Those that copy the question ask
about facts that are paid for, after `annotations mark-given` with the same judge."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--judge", action="append", default=[], help="as for `serve`; one or several")
    parser.add_argument("--tokenizer", default="", help="the model's tokenizer folder")
    parser.add_argument("--config", action="append", default=[], help="a file of a judge's settings; one or several")
    parser.add_argument("--probes", type=int, default=400, help="the most probes of a family, on either sort of facts")
    parser.add_argument("--write", action="store_true", help=f"make the tables the page {PAGE.relative_to(REPOSITORY)}")
    chosen = parser.parse_args()
    judges = [["--judge", judge, "--judge-tokenizer", chosen.tokenizer] for judge in chosen.judge]
    judges += [["--judge-config", config] for config in chosen.config]
    tables = [section(asked(chosen.data, judge, chosen.probes)) for judge in judges]
    text = "\n\n".join([HEAD.format(probes=chosen.probes), *tables]) + "\n"
    print(text)
    if chosen.write:
        PAGE.write_text(text, encoding="utf-8")


def asked(data: Path, judge: list[str], probes: int) -> dict[str, AuditReport]:
    """The reports on both sorts of facts."""
    reports: dict[str, AuditReport] = {}
    for name, problems in (("figures", figures(data)), ("all else", others(data))):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "annotations.jsonl"
            write_jsonl(source, problems)
            reports[name] = audited(source, judge, probes)
    return reports


def audited(source: Path, judge: list[str], probes: int) -> AuditReport:
    """The report on the attacks, once the judge has marked which facts the questions give."""
    marked, out = source.with_name("marked.jsonl"), source.with_name("audit")
    command(["annotations", "mark-given", str(source), str(marked), *judge])
    wanted = [option for name in FAMILIES for option in ("--family", name)]
    command(["audit", "--annotations", str(marked), "--out", str(out), "--probes", str(probes), *wanted, *judge])
    return AuditReport.model_validate_json((out / "report.json").read_text(encoding="utf-8"))


def command(words: list[str]) -> None:
    subprocess.run([sys.executable, "-m", "perception_reward.service.cli", *words], check=True, stdout=sys.stderr)


def section(reports: dict[str, AuditReport]) -> str:
    told = next(iter(reports.values())).judge
    found = {name: {each.family: each for each in rows(report)} for name, report in reports.items()}
    lines = [
        [family, *(cell for each in found.values() for cell in cells(each.get(family)))] for family in (*FAMILIES, ALL)
    ]
    header = [f"{name}: {what}" for name in found for what in ("tried", "stated", "95 % interval")]
    return f"`{told.name}`, method `{told.method}`, with `{told.model}`:\n\n" + table(["family", *header], lines)


def rows(report: AuditReport) -> list[Attacks]:
    whole = [report.attack.model_copy(update={"family": ALL})] if report.attack else []
    return [*report.attacks, *whole]


def cells(attacks: Attacks | None) -> tuple[str, str, str]:
    if attacks is None or attacks.success.low is None or attacks.success.high is None:
        return "0", "–", "–"
    missing = f" ({attacks.missing} missing)" if attacks.missing else ""
    return (
        f"{attacks.tried}{missing}",
        str(attacks.success.hits),
        f"{attacks.success.low:.4f} to {attacks.success.high:.4f}",
    )


if __name__ == "__main__":
    main()

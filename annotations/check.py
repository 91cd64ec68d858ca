"""Whether annotation files can be used: every fault of every file, and what they hold.

report = check([Path("problems.jsonl"), Path("more.csv")])
report.good, report.faults, str(report.stats)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perception_reward.annotations.evaluate import lines
from perception_reward.annotations.faults import LineError, RecordFileError, said
from perception_reward.annotations.jsonl import open_annotations, read_file, read_header
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.stats import Stats
from perception_reward.annotations.version import Version

# Ids told one by one.
MOST_SHOWN = 10


@dataclass(slots=True)
class Report:
    """faults: in words, each with its file and line. notes: versions and figures. lacking: ids without any fact."""

    files: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    lacking: list[str] = field(default_factory=list[str])
    stats: Stats = field(default_factory=Stats)

    @property
    def good(self) -> bool:
        """Nothing is at fault, and there is a fact that a response can be held to."""
        return not self.faults and self.stats.without_seen < self.stats.annotations

    def lines(self) -> Iterator[str]:
        """The report for people."""
        yield from self.files
        yield from self.faults
        if self.stats.annotations:
            yield from self.stats.lines()
        yield from self.notes
        if self.lacking:
            more = ", …" if len(self.lacking) > MOST_SHOWN else ""
            yield f"without any fact: {', '.join(map(repr, self.lacking[:MOST_SHOWN]))}{more}"
        if not self.stats.annotations:
            yield "there is no annotation in it"
        elif self.stats.without_seen == self.stats.annotations:
            yield "no annotation has a seen fact, so there is no perception reward"


def check(paths: Sequence[Path]) -> Report:
    """Read `paths`, and say what is wrong. Raises `OSError` where there is no such file."""
    report = Report()
    seen: dict[str, str] = {}
    for path in paths:
        try:
            file = open_annotations(path)
            found = read_file(file)
            header = read_header(file)
        except RecordFileError as error:
            report.faults += str(error).splitlines()
            continue
        version = str(Version.of(found.values()))
        report.files.append(f"{path}: {len(found)} annotations ({file.form})")
        report.notes.append(f"{path.name} is version {version}")
        if header.version not in (None, version):
            words = f"says in its header that it is version {header.version}: it was edited or cut short since"
            report.faults.append(said(path.name, file.unit, LineError(0, "header", words)))
        if header.figures is not None:
            report.notes.append(f"evaluated against {header.figures.gold} ({header.figures.method}):")
            report.notes += lines(header.figures.kinds)
        report.faults += (
            said(path.name, file.unit, LineError(place, "id", f"the id {one.id!r} is already in {seen[one.id]}"))
            for place, one in found.items()
            if one.id in seen
        )
        seen |= dict.fromkeys((one.id for one in found.values()), path.name)
        _count(report, found.values())
    return report


def _count(report: Report, annotations: Iterable[Annotation]) -> None:
    for annotation in annotations:
        report.stats.add(annotation)
        if not any(fact.polarity == "present" for fact in annotation.facts):
            report.lacking.append(annotation.id)

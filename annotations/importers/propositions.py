"""Propositions about a diagram, as InterGPS, PGDP5K and Geometry3K write them: `Equals(LengthOf(Line(A, B)), 5)`.

Rows and sentences are those of `geometry3k`; here they are read one by one, and what is refused is counted by its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from perception_reward.annotations.faults import Record
from perception_reward.annotations.geometry3k import ImportReport, import_record, records_of
from perception_reward.annotations.importers.model import Draft, Importer, Options, Problem, Refused, Row
from perception_reward.annotations.statements import KINDS

REASONS = (
    (re.compile(r"repeats fact"), "repeats an earlier form of the row"),
    (re.compile(r"without a name in the diagram|no name of a point"), "names a point that the diagram does not"),
    (re.compile(r"the row gives this"), "is one of two numbers or letters for one measure"),
    (re.compile(r"stands at several vertices"), "is one label at several vertices"),
    (re.compile(r"the quantity"), "has a misread quantity"),
    (re.compile(r"left out: the form"), "is no logic form"),
)


def rows(source: Path, options: Options) -> Iterator[Row]:
    """The rows of `geometry3k`."""
    return records_of(source)


def make(row: Record) -> Problem:
    """A row's propositions as sentences."""
    report = ImportReport()
    try:
        annotation = import_record(row, report)
    except ValueError as error:
        raise Refused("is no row of propositions", error) from None
    return Problem(
        id=annotation.id,
        drafts=[Draft(fact.text, fact.kind, fact.origin, id=fact.id) for fact in annotation.facts],
        question=annotation.question,
        answer=annotation.answer,
        images=annotation.images,
        source=(annotation.provenance and annotation.provenance.source) or "",
        refused=[Refused(_reason(dropped.why), dropped.form or "") for dropped in report.dropped],
    )


def _reason(why: str) -> str:
    return next((reason for pattern, reason in REASONS if pattern.search(why)), "is not a relation that is imported")


PROPOSITIONS = Importer(
    "propositions",
    "logic forms of Geometry3K, InterGPS and PGDP5K: InterGPS's JSON, or rows of id and logic_forms",
    KINDS,
    rows,
    make,
)

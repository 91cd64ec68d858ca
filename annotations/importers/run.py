"""An importer at work: rows become annotations one by one, and what is not imported is counted by its reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from perception_reward.annotations.faults import LineError, Record, printable
from perception_reward.annotations.importers.model import Draft, Importer, Options, Problem, Refused
from perception_reward.annotations.model import Annotation, Provenance
from perception_reward.trainer_client.wire import MOST_FACTS, Fact, Origin

# Of each reason, places that are told.
MOST_PLACES = 3


class NoFacts(ValueError):
    """Nothing was imported that a response could be held to."""


@dataclass(slots=True)
class ImportReport:
    """What an import did. rows = annotations + the refused rows; refused facts are counted apart."""

    rows: int = 0
    annotations: int = 0
    without_facts: int = 0
    distractors: int = 0
    kinds: defaultdict[str, Counter[Origin]] = field(default_factory=lambda: defaultdict(Counter[Origin]))
    refused_rows: Counter[str] = field(default_factory=Counter[str])
    refused_facts: Counter[str] = field(default_factory=Counter[str])
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list[str]))

    @property
    def facts(self) -> int:
        """Present facts."""
        return sum(counts.total() for counts in self.kinds.values())

    def refuse(self, place: str, refused: Refused, *, fact: bool) -> None:
        """Count a row, or a fact of it, that is not imported."""
        (self.refused_facts if fact else self.refused_rows)[refused.why] += 1
        examples = self.examples[refused.why]
        if len(examples) < MOST_PLACES:
            examples.append(f"{place}: {refused.detail}" if refused.detail else place)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        yield f"{self.rows} rows: {self.annotations} annotations, {self.refused_rows.total()} refused"
        origins = sum(self.kinds.values(), Counter[Origin]())
        told = ", ".join(f"{origins[origin]} {origin}" for origin in get_args(Origin))
        yield f"{self.facts} facts: {told}; {self.distractors} distractors"
        for kind, counts in sorted(self.kinds.items(), key=lambda item: -item[1].total()):
            yield f"  {kind}: {counts.total()}"
        if self.without_facts:
            yield f"{self.without_facts} annotations without any fact"
        yield from self._refusals("rows", self.refused_rows)
        yield from self._refusals("facts", self.refused_facts)

    def _refusals(self, what: str, counts: Counter[str]) -> Iterator[str]:
        if counts:
            yield f"{counts.total()} {what} refused:"
        for why, count in counts.most_common():
            yield f"  {count} {why} (such as {'; '.join(self.examples[why])})"


def import_annotations(
    importer: Importer,
    source: Path,
    report: ImportReport,
    options: Options | None = None,
    *,
    limit: int | None = None,
) -> Iterator[Annotation]:
    """The annotations of `source`, as they are read.

    limit: the most rows to read. Raises `RecordFileError` and `OSError` for a source that cannot be read, and `NoFacts`
    at the end where no fact was imported.
    """
    seen: set[str] = set()
    for place, row in islice(importer.rows(source, options or Options()), limit):
        report.rows += 1
        try:
            if isinstance(row, LineError):
                raise Refused("cannot be read", row.message)
            problem = _made(importer, row)
            if problem.id in seen:
                raise Refused("has the id of an earlier row", problem.id)
            annotation = _annotation(importer, problem, place, report)
        except Refused as refused:
            report.refuse(place, refused, fact=False)
            continue
        seen.add(annotation.id)
        report.annotations += 1
        report.without_facts += not annotation.facts
        yield annotation
    if not report.facts:
        raise NoFacts("no fact was imported, so no annotation file is written; the lines above say why")


def _made(importer: Importer, row: Record) -> Problem:
    """A row whose values are of other types than its layout has is refused, and does not end the import."""
    try:
        return importer.make(row)
    except Refused:
        raise
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise Refused("is not of this layout", f"{type(error).__name__}: {error}") from None


def _annotation(importer: Importer, problem: Problem, place: str, report: ImportReport) -> Annotation:
    facts: list[Fact] = []
    refused = list(problem.refused)
    said: set[tuple[str, str]] = set()
    for number, draft in enumerate(problem.drafts, start=1):
        key = (draft.polarity, " ".join(draft.text.split()).casefold())
        if key in said:
            refused.append(Refused("says again what an earlier fact of the row says", draft.text))
            continue
        said.add(key)
        try:
            facts.append(_fact(number, draft))
        except Refused as error:
            refused.append(error)
    try:
        annotation = Annotation(
            id=problem.id,
            question=problem.question,
            answer=problem.answer,
            choices=problem.choices,
            images=list(problem.images),
            facts=facts[:MOST_FACTS],
            provenance=Provenance(source=problem.source or importer.name, method=f"import {importer.name}"),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(f"has a wrong {printable(first['loc'][0] if first['loc'] else 'row')}", first["msg"]) from None
    for fact in annotation.facts:
        if fact.polarity == "present":
            report.kinds[fact.kind][fact.origin] += 1
        else:
            report.distractors += 1
    for one in refused:
        report.refuse(place, one, fact=True)
    return annotation


def _fact(number: int, draft: Draft) -> Fact:
    """A fact's id is its place among the row's drafts, so that it stays when another one is refused."""
    try:
        return Fact(
            id=draft.id or f"f{number}",
            text=" ".join(draft.text.split()),
            kind=draft.kind,
            origin=draft.origin,
            polarity=draft.polarity,
            page=draft.page,
            region=draft.region,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(f"has a {first['loc'][0]} that no fact can have", f"{first['msg']}: {draft.text}") from None

"""Import of Geometry3K's logic forms as annotations whose facts are English sentences.

Two sources are read: JSON Lines of `{"id", "logic_forms"}` with `split, question, answer, source` or not, and
InterGPS's own `diagram_logic_forms_annot.json`, `{"0": {"diagram_logic_forms": [...]}, …}`. Question, answer and image
come from the folders of its problems, where those are given.

Every form becomes a fact or a line of the report that says why it did not: nothing is dropped in silence. A
fact's id is `f` and the form's place in its row, so it stays the same whatever `kinds` selects.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast, get_args

from perception_reward.annotations.collinear import Collinear
from perception_reward.annotations.english import sentence
from perception_reward.annotations.faults import LineError, Record
from perception_reward.annotations.filled import statements_filled
from perception_reward.annotations.geometry3k_problems import read_problem
from perception_reward.annotations.given import statements_given
from perception_reward.annotations.implied import statements_implied
from perception_reward.annotations.logic_forms import LogicFormError, Term, read_logic_form
from perception_reward.annotations.model import Annotation, Provenance
from perception_reward.annotations.records import open_records
from perception_reward.annotations.statements import KINDS, Statement, circle_center, read_statement
from perception_reward.trainer_client.wire import Fact, Origin

# Data-set ids up to each bound belong to the split: the ranges that InterGPS's own code uses.
SPLITS = (("train", 2100), ("val", 2400), ("test", 3001))

FIELDS = ("id", "logic_forms", "split", "question", "answer", "source")


@dataclass(frozen=True, slots=True)
class Dropped:
    """A logic form, or with no form a whole row, that was not imported, and why."""

    row: str
    form: str | None
    why: str

    def __str__(self) -> str:
        return f"{self.row}: {self.why}" if self.form is None else f"{self.row}: {self.form!r} {self.why}"


@dataclass(slots=True)
class ImportReport:
    """What an import did: `forms` is the sum of `facts`, `not_selected` and the dropped forms."""

    rows: int = 0
    forms: int = 0
    rows_without_facts: int = 0
    facts: Counter[str] = field(default_factory=Counter[str])
    origins: Counter[Origin] = field(default_factory=Counter[Origin])
    not_selected: Counter[str] = field(default_factory=Counter[str])
    dropped: list[Dropped] = field(default_factory=list[Dropped])

    def lines(self) -> Iterator[str]:
        """The report for people: the counts, then a line for each form that was dropped."""
        yield f"{self.rows} rows with {self.forms} logic forms"
        yield f"{self.facts.total()} facts: {', '.join(f'{self.origins[one]} {one}' for one in get_args(Origin))}"
        yield from (f"  {kind}: {count}" for kind, count in self.facts.most_common())
        if self.not_selected:
            yield f"{self.not_selected.total()} forms of kinds that were not selected"
        yield f"{self.rows_without_facts} rows without facts"
        yield f"{len(self.dropped)} dropped"
        yield from (f"  {dropped}" for dropped in self.dropped)


@dataclass(frozen=True, slots=True)
class ImportResult:
    annotations: list[Annotation]
    report: ImportReport


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    forms: tuple[str, ...]
    split: str | None
    question: str | None
    answer: str | None
    images: tuple[str, ...]
    source: str


def import_problems(
    path: Path,
    *,
    problems: Path | None = None,
    split: str | None = None,
    limit: int | None = None,
    kinds: Collection[str] | None = None,
) -> ImportResult:
    """Import `path`. Rows without facts are kept, for their answers.

    problems: the folder that holds InterGPS's problems as `train/17/data.json`; their questions, answers and images
    take the place of the rows' own, and rows without a problem there are dropped. split: `train`, `val` or `test`;
    limit: the most rows to import; kinds: the kinds of facts to keep (None: all).
    Raises `ValueError` for an unknown split or kind and for a file of neither format, `OSError` for no file.
    """
    _check_choice("split", [split] if split else [], [name for name, _ in SPLITS])
    _check_choice("kind", kinds or (), KINDS)
    report = ImportReport()
    annotations: dict[str, Annotation] = {}
    for row in _rows(path, problems, split, report):
        if limit is not None and len(annotations) >= limit:
            break
        if row.id in annotations:
            report.dropped.append(Dropped(row.id, None, "the row's id comes a second time"))
            continue
        annotations[row.id] = _import_row(row, kinds, report)
    return ImportResult(list(annotations.values()), report)


def records_of(path: Path) -> Iterator[tuple[str, Record | LineError]]:
    """The rows of `path` and where each stands. InterGPS's one object of problems by number is taken apart."""
    file = open_records(path, known=FIELDS, nested=("logic_forms",))
    for number, record in file:
        if isinstance(record, LineError):
            yield f"{file.unit} {number}", record
        elif "diagram_logic_forms" in record:
            yield str(record.get("id")), _problem(record)
        elif any(isinstance(one, dict) and "diagram_logic_forms" in one for one in record.values()):
            # One problem alone is no sign of an object of problems.
            for key, one in record.items():
                yield key, _problem({"id": key, **(cast("dict[str, object]", one) if isinstance(one, dict) else {})})
        else:
            yield f"{file.unit} {number}", record


def import_record(record: Record, report: ImportReport) -> Annotation:
    """The annotation of one row of `records_of`. Raises `ValueError` for a row that is none."""
    return _import_row(_row(record), None, report)


def origins_of(question: str | None, answer: str | None, lines: Collinear) -> Callable[[Statement], Origin]:
    """Where a statement about a diagram is known from, by what the question says, says with its numbers filled in, or
    implies.

    An element's number or expression is given also where the question has another one than the diagram: the answer
    belongs to the question's, and who calculates with it has not misread the diagram.
    """
    said = [*statements_given(question), *statements_filled(question, answer)]
    origins: dict[tuple[object, ...], Origin] = {lines.key(one): "derived" for one in statements_implied(question)}
    origins.update((lines.key(one), "given") for one in said)
    origins.update((element, "given") for one in said if (element := _element(one, lines)))
    return lambda statement: origins.get(lines.key(statement)) or origins.get(_element(statement, lines)) or "seen"


def _check_choice(what: str, wanted: Iterable[str], known: Collection[str]) -> None:
    if unknown := sorted(set(wanted) - set(known)):
        raise ValueError(f"unknown {what} {unknown[0]!r}; known are {', '.join(known)}")


def _import_row(row: _Row, kinds: Collection[str] | None, report: ImportReport) -> Annotation:
    statements = _statements(row, report)
    lines = Collinear(statements.values())
    origin_of = origins_of(row.question, row.answer, lines)
    facts: list[Fact] = []
    for place, statement in statements.items():
        if kinds is not None and statement.kind not in kinds:
            report.not_selected[statement.kind] += 1
            continue
        origin = origin_of(statement)
        report.facts[statement.kind] += 1
        report.origins[origin] += 1
        facts.append(
            Fact(
                id=f"f{place}",
                text=sentence(statement),
                kind=statement.kind,
                origin=origin,
            )
        )
    report.rows += 1
    report.forms += len(row.forms)
    report.rows_without_facts += not facts
    provenance = Provenance(source=row.source, method="logic-forms")
    return Annotation(
        id=row.id,
        question=row.question,
        answer=row.answer,
        images=list(row.images),
        facts=facts,
        provenance=provenance,
    )


def _element(statement: Statement, lines: Collinear) -> tuple[object, ...]:
    """What a statement gives the number of, or an expression for; () where it gives neither."""
    if statement.quantity is None:
        return ()
    return ("number" if statement.quantity.is_number else "expression", *lines.key(replace(statement, quantity=None)))


def _statements(row: _Row, report: ImportReport) -> dict[int, Statement]:
    """The row's sound statements by the place of their form, from 1; the others go to the report."""
    terms = dict(_parsed(row, report))
    centers = {center for term in terms.values() if (center := circle_center(term))}
    statements: dict[int, Statement] = {}
    first: dict[tuple[object, ...], int] = {}
    for place, term in terms.items():
        form = row.forms[place - 1]
        try:
            statement = read_statement(term, centers)
        except LogicFormError as error:
            report.dropped.append(Dropped(row.id, form, f"was left out: {error}"))
            continue
        if (earlier := first.setdefault(statement.key, place)) != place:
            report.dropped.append(Dropped(row.id, form, f"repeats fact f{earlier}"))
        else:
            statements[place] = statement
    for place, why in _doubts(statements):
        report.dropped.append(Dropped(row.id, row.forms[place - 1], f"was left out: {why}"))
        del statements[place]
    return statements


def _parsed(row: _Row, report: ImportReport) -> Iterator[tuple[int, Term]]:
    for place, form in enumerate(row.forms, start=1):
        try:
            yield place, read_logic_form(form)
        except LogicFormError as error:
            report.dropped.append(Dropped(row.id, form, f"was left out: the form {error}"))


def _doubts(statements: dict[int, Statement]) -> list[tuple[int, str]]:
    """Statements that their neighbours put in doubt: two lengths of one segment cannot both be signed."""
    amounts: dict[object, set[str]] = defaultdict(set)
    vertices: dict[str, set[str]] = defaultdict(set)
    for statement in statements.values():
        if plain := _plain_amount(statement):
            amounts[plain].add(str(statement.quantity))
        elif statement.kind == "label":
            vertices[statement.figures[1].points[0]].add(statement.figures[0].points[1])
    doubts: list[tuple[int, str]] = []
    for place, statement in statements.items():
        found = sorted(amounts.get(_plain_amount(statement), ()))
        if len(found) > 1:
            doubts.append((place, f"the row gives this {statement.kind} as {' and '.join(found)}"))
        elif statement.kind == "label" and len(vertices[statement.figures[1].points[0]]) > 1:
            doubts.append((place, f"label {statement.figures[1].points[0]} stands at several vertices"))
    return doubts


def _plain_amount(statement: Statement) -> tuple[object, ...] | None:
    """What may have only one number and only one letter; an expression beside them is an equation, and sound."""
    if statement.quantity is None or not (statement.quantity.is_number or statement.quantity.is_letter):
        return None
    return (statement.kind, statement.figures[0].key, statement.quantity.is_letter)


def _rows(path: Path, problems: Path | None, split: str | None, report: ImportReport) -> Iterator[_Row]:
    for place, record in records_of(path):
        try:
            if isinstance(record, LineError):
                raise ValueError(record.message)
            row = _row(record)
            if split is None or row.split == split:
                yield row if problems is None else _asked(row, problems)
        except ValueError as error:
            report.dropped.append(Dropped(place, None, f"the row {error}"))


def _problem(problem: Record) -> Record:
    key = str(problem.get("id"))
    name = f"geometry3k-{key}" if key.isdecimal() else key
    return {"id": name, "logic_forms": problem.get("diagram_logic_forms")}


def _row(record: Record) -> _Row:
    row_id, forms = record.get("id"), record.get("logic_forms")
    if not isinstance(row_id, str) or not row_id:
        raise ValueError("has no id")
    if not isinstance(forms, list) or not all(isinstance(form, str) for form in cast("list[object]", forms)):
        raise ValueError("has no list of logic forms")
    return _Row(
        id=row_id,
        forms=tuple(cast("list[str]", forms)),
        split=_optional_text(record, "split") or _split(row_id),
        question=_optional_text(record, "question"),
        answer=_optional_text(record, "answer"),
        images=(),
        source=_optional_text(record, "source") or "Geometry3K",
    )


def _asked(row: _Row, problems: Path) -> _Row:
    if row.split is None:
        raise ValueError("has no split, so that its problem's folder is not known")
    asked = read_problem(problems, f"{row.split}/{row.id.rpartition('-')[2]}")
    return replace(row, question=asked.question, answer=asked.answer, images=(asked.image,))


def _optional_text(record: Record, name: str) -> str | None:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"has a {name} that is no text")
    return value


def _split(row_id: str) -> str | None:
    number = row_id.rpartition("-")[2]
    if not number.isdecimal():
        return None
    return next((name for name, last in SPLITS if int(number) <= last), None)

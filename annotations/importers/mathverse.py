"""MathVerse's versions of a problem: what the text-dominant one says beyond the vision-dominant one is in the figure.

    Text Dominant    A can has a height of 13 cm and a radius of 3 cm. Find L.
    Vision Dominant  Find L.                            -> "A can has a height of 13 cm and a radius of 3 cm."

A problem's versions stand one after another in the file. The annotation asks the vision-dominant question, with its
image. A clause that needs the one before it ("it is 5") is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from perception_reward.annotations.faults import LineError, Record
from perception_reward.annotations.given import statements_given
from perception_reward.annotations.importers.model import (
    Draft,
    Importer,
    Options,
    Problem,
    Refused,
    Row,
    optional,
    records_in,
)
from perception_reward.annotations.importers.sources import records

COLUMNS = ("sample_index", "problem_index", "problem_version", "question", "answer", "image", "metadata")
TEXT, VISION = "Text Dominant", "Vision Dominant"
_CHOICES = re.compile(r"\n\s*Choices:.*", re.DOTALL)
_SENTENCE = re.compile(r"\n+|[.?!](?=\s|$)")
_CLAUSE = re.compile(r"[,;:]|\band (?=[^,.;]*(?:[=⊥∥∠]|\bis\b|\bintersects\b|\bparallel\b))")
_OPENING = re.compile(
    r"^(?:(?:as shown in|in|from) the (?:figure|diagram)(?: below)?|it is known that|given(?: that)?|known(?: that)?|"
    r"if|where|when|suppose|such that|and|then)\b[\s,]*",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\(\s*\)|\b(?:find|what|which|how|calculate|determine|evaluate|solve|give|round|express|write|answer|let)\b|"
    r"\bis equal to\s*$|\bis\s*$|____",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"^(?:it|its|they|their|this|that|these|those|which|he|she|the (?:same|other|former|latter))\b", re.I
)
_READ = records(*COLUMNS, nested=("metadata",))


def rows(source: Path, options: Options) -> Iterator[Row]:
    """A row for each problem, with its versions."""

    def problem(row: Row) -> str:
        return str(row[1].get("problem_index")) if not isinstance(row[1], LineError) else row[0]

    for index, versions in groupby(_READ(source, options), key=problem):
        found = list(versions)
        if isinstance(found[0][1], LineError):
            yield found[0]
        else:
            yield found[0][0], {"problem_index": index, "versions": [row for _, row in found]}


def make(row: Record) -> Problem:
    """A problem by its versions. Raises `Refused` where the two are not there, or do not differ."""
    versions = {str(one.get("problem_version")): one for one in records_in(row["versions"])}
    if TEXT not in versions or VISION not in versions:
        raise Refused(f"has no {TEXT} and {VISION} version", f"{row['problem_index']}: {', '.join(versions)}")
    vision = versions[VISION]
    image = optional(vision, "image")
    meta = cast("dict[str, Any]", vision["metadata"]) if isinstance(vision.get("metadata"), dict) else {}
    problem = Problem(
        id=f"mathverse-{row['problem_index']}",
        question=optional(vision, "question"),
        answer=optional(vision, "answer"),
        images=[image] if image else [],
        source=f"MathVerse {optional(meta, 'source') or ''}".strip(),
    )
    known = {_plain(clause) for clause in _clauses(problem.question or "")}
    for clause in _clauses(optional(versions[TEXT], "question") or ""):
        if _plain(clause) in known:
            continue
        if _LEANS.search(clause) or (len(clause.split()) < 3 and "=" not in clause):
            problem.refused.append(Refused("is a clause that does not stand alone", clause))
        else:
            problem.drafts.append(Draft(f"{clause[0].upper()}{clause[1:]}.", _kind(clause)))
    if not problem.drafts:
        raise Refused("says nothing more in its text-dominant version", row["problem_index"])
    return problem


def _clauses(question: str) -> Iterator[str]:
    """The clauses that state something: in a sentence that asks, those before the question."""
    for sentence in _SENTENCE.split(_CHOICES.sub("", question)):
        for part in _CLAUSE.split(sentence):
            clause, before = part.strip(), None
            while clause != before:
                before, clause = clause, _OPENING.sub("", clause).strip()
            if _ASKS.search(clause):
                break
            if clause:
                yield clause


def _plain(clause: str) -> str:
    return re.sub(r"[\W_]+", "", clause).casefold()


def _kind(clause: str) -> str:
    return next((statement.kind for statement in statements_given(clause)), "statement")


MATHVERSE = Importer(
    "mathverse",
    "MathVerse's versions of each problem: problem_index, problem_version, question, answer, image",
    ("statement", "and, where it is read, length, angle, …"),
    rows,
    make,
    COLUMNS,
)

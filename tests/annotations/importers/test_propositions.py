from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Import = Callable[..., Any]

FORMS = [
    "Equals(LengthOf(Line(A, B)), 5)",
    "Equals(LengthOf(Line(B, A)), 5)",
    "Equals(LengthOf(Line(Oslo, B)), 5)",
    "O(",
]


def test_propositions_are_facts_and_refusals_are_counted_by_kind(imported: Import):
    (annotation,), report = imported("propositions", json.dumps({"7": {"diagram_logic_forms": FORMS}}))
    assert annotation.id == "geometry3k-7"
    assert [(fact.id, fact.text) for fact in annotation.facts] == [("f1", "Segment AB has length 5.")]
    assert report.refused_facts == {
        "repeats an earlier form of the row": 1,
        "names a point that the diagram does not": 1,
        "is no logic form": 1,
    }


def test_rows_that_are_none_are_refused(imported: Import):
    _, report = imported("propositions", json.dumps({"id": "x"}))
    assert report.refused_rows == {"is no row of propositions": 1}


def test_real_propositions(imported: Import, shared_data: Path):
    found, report = imported("propositions", shared_data / "geometry3k" / "parser_predictions.jsonl")
    assert (len(found), report.facts, report.refused_rows.total()) == (601, 8704, 0)

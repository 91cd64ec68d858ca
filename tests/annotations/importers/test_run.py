from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.faults import Record
from perception_reward.annotations.importers.model import Draft, Importer, Options, Problem, Refused
from perception_reward.annotations.importers.registry import IMPORTERS
from perception_reward.annotations.importers.run import ImportReport, NoFacts, import_annotations
from perception_reward.annotations.importers.sources import records

Import = Callable[..., Any]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
NAMES = ("id", "facts", "objects", "relationships", "form", "pages", "words", "tree", "versions", "image_cdl", "cells")


@given(row=st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUES)), layout=st.sampled_from(list(IMPORTERS)))
def test_no_row_ends_an_import(row: dict[str, Any], layout: str):
    importer = IMPORTERS[layout]
    report = ImportReport()
    odd = Importer(layout, "", (), lambda source, options: iter([("row 1", row)]), importer.make)
    try:
        found = list(import_annotations(odd, Path("x"), report))
    except NoFacts:
        found = []
    assert report.rows == 1
    assert len(found) <= 1


def make(row: Record) -> Problem:
    if row.get("bad"):
        raise Refused("is bad", row["bad"])
    return Problem(id=str(row["id"]), drafts=[Draft(str(row["text"]), "made"), Draft(str(row["text"]), "made")])


IMPORTER = Importer("made-up", "", ("made",), records("id", "text"), make)


def test_refused_rows_and_facts_are_counted_by_their_reason_with_places(tmp_path: Path):
    rows = [{"id": 1, "text": "a"}, {"id": 1, "text": "b"}, {"bad": "x"}, {"bad": "y"}, {"id": 2, "text": "c" * 2001}]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([*map(json.dumps, rows), "no JSON", json.dumps({"id": 3})]))
    report = ImportReport()
    found = list(import_annotations(IMPORTER, path, report))
    assert [one.id for one in found] == ["1", "2"]
    assert report.rows == 7 == report.annotations + report.refused_rows.total()
    assert report.refused_rows == {
        "has the id of an earlier row": 1,
        "is bad": 2,
        "cannot be read": 1,
        "is not of this layout": 1,
    }
    assert report.refused_facts["says again what an earlier fact of the row says"] == 2
    assert "  2 is bad (such as line 3: x; line 4: y)" in list(report.lines())


def test_an_import_without_a_fact_says_so_at_its_end(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"bad": "x"}\n')
    with pytest.raises(NoFacts):
        list(import_annotations(IMPORTER, path, ImportReport()))


def test_rows_are_read_only_as_far_as_they_are_asked_for(tmp_path: Path):
    read: list[int] = []

    def endless(source: Path, options: Options):
        for number in range(10**9):
            read.append(number)
            yield f"row {number}", {"id": number, "text": f"t{number}"}

    importer = Importer("made-up", "", (), endless, make)
    found = import_annotations(importer, tmp_path, ImportReport(), limit=5)
    assert next(found).id == "0"
    assert read == [0]
    assert len(list(found)) == 4


def test_a_fact_keeps_its_id_when_another_one_is_refused(imported: Import):
    rows = json.dumps({"id": 1, "facts": ["a", "A", "b"]})
    (annotation,), _ = imported("plain", rows)
    assert [fact.id for fact in annotation.facts] == ["f1", "f3"]

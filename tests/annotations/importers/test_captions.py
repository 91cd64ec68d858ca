from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Import = Callable[..., Any]

PAIR = {"id": "p1", "type": "made-up/colour", "caption": "A red kite flies.", "foil": "A green kite flies."}


def test_a_caption_is_a_fact_and_its_foil_a_distractor(imported: Import):
    (annotation,), _ = imported("captions", json.dumps(PAIR))
    assert [(fact.text, fact.kind, fact.polarity) for fact in annotation.facts] == [
        ("A red kite flies.", "colour", "present"),
        ("A green kite flies.", "colour", "distractor"),
    ]


def test_pairs_keyed_by_number_are_read_with_their_images(imported: Import):
    pairs = {str(n): {"filename": f"{n}.jpg", "caption": f"Kite {n}.", "negative_caption": "A boat."} for n in range(3)}
    found, _ = imported("captions", json.dumps(pairs))
    assert [one.images for one in found] == [["0.jpg"], ["1.jpg"], ["2.jpg"]]


def test_pairs_that_contradict_nothing_are_refused_with_their_reason(imported: Import):
    rows = [PAIR | {"id": "same", "foil": "a RED kite flies."}, PAIR | {"id": "none", "foil": " "}]
    rows.append(PAIR | {"id": "asks", "caption": "A kite. Is it red? Yes."})
    found, report = imported("captions", "\n".join(map(json.dumps, rows)))
    assert not found
    assert dict(report.refused_rows) == {
        "has a foil that says the same as its caption": 1,
        "has no foil": 1,
        "has a question with its answer in place of a caption": 1,
    }


def test_columns_of_other_names_are_mapped(imported: Import):
    row = {"key": 7, "good": "A red kite flies.", "bad": "A green kite flies."}
    (annotation,), _ = imported("captions", json.dumps(row), id="key", caption="good", foil="bad")
    assert annotation.id == "7"
    assert len(annotation.facts) == 2


def test_real_pairs(imported: Import, shared_data: Path):
    found, report = imported("captions", shared_data / "captions" / "foils.jsonl")
    assert (report.rows, len(found), report.facts, report.distractors) == (5987, 5625, 5625, 5625)
    assert dict(report.refused_rows) == {"has a question with its answer in place of a caption": 362}

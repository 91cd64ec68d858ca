from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Import = Callable[..., Any]


def test_facts_are_sentences_objects_or_lines(imported: Import):
    rows = [
        {"id": 1, "facts": ["AB = 5.", {"text": "BC = 7.", "kind": "length", "origin": "given"}, 3]},
        {"id": 2, "facts": "1. The cat is black.\n- The dog sleeps.\n\n* 2 birds fly.", "answer": 4},
        {"id": 3, "facts": '[{"text": "AB = 6.", "polarity": "distractor"}, {"text": "x", "origin": "guessed"}]'},
        {"id": 4, "facts": "[oops"},
        {"id": 5, "facts": []},
    ]
    found, report = imported("plain", "\n".join(map(json.dumps, rows)))
    assert [[fact.text for fact in one.facts] for one in found] == [
        ["AB = 5.", "BC = 7."],
        ["The cat is black.", "The dog sleeps.", "2 birds fly."],
        ["AB = 6."],
    ]
    assert found[0].facts[1].origin == "given"
    assert found[1].answer == 4
    assert report.refused_facts == {"is no text": 1, "has an origin or a polarity that is not known": 1}
    assert report.refused_rows == {"has facts that begin as a list in JSON and are none": 1, "has no facts": 1}


def test_a_table_with_columns_of_other_names(imported: Import):
    text = 'uid;Visual facts;Q\nr1;"AB = 5.\nBC = 7.";Find AC.\n'
    (annotation,), _ = imported("plain", text, "t.csv", id="uid", facts="Visual facts", question="Q")
    assert (annotation.id, annotation.question, len(annotation.facts)) == ("r1", "Find AC.", 2)

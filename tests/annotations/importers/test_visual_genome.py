from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Import = Callable[..., Any]

GRAPH = {
    "image_id": 5,
    "objects": [
        {"object_id": 1, "names": ["Boat"], "attributes": ["Red"]},
        {"object_id": 2, "name": "cup", "attributes": ["blue"]},
        {"object_id": 3, "name": "cup", "attributes": ["white", "empty"]},
        {"object_id": 4, "names": []},
    ],
    "relationships": [
        {"predicate": "ON", "subject_id": 2, "object_id": 1},
        {"predicate": "wears", "subject_id": 1, "object_id": 3},
        {"predicate": "has", "subject_id": 1, "object_id": 1},
        {"predicate": "near", "subject_id": 1, "object_id": 44},
    ],
}


def test_objects_attributes_and_relations(imported: Import):
    (annotation,), report = imported("visual-genome", json.dumps([GRAPH]))
    assert [(fact.kind, fact.text) for fact in annotation.facts] == [
        ("object", "There is a boat."),
        ("object", "There is a cup."),
        ("attribute", "The boat is red."),
        ("attribute", "A cup is blue."),
        ("attribute", "A cup is white."),
        ("attribute", "A cup is empty."),
        ("relation", "A cup is on the boat."),
        ("relation", "The boat wears a cup."),
    ]
    assert report.refused_facts == {
        "is an object without a name": 1,
        "relates an object that is not named, or to itself": 2,
    }


def test_graphs_by_the_ids_of_their_images(imported: Import):
    objects = {"9": {"name": "owl", "attributes": ["old"], "relations": [{"name": "in", "object": "8"}]}}
    objects["8"] = {"name": "tree", "attributes": [], "relations": []}
    annotation, _ = imported("visual-genome", json.dumps({"77": {"objects": objects}, "78": {"objects": objects}}))[0]
    assert annotation.id == "77"
    assert [fact.text for fact in annotation.facts][2:] == ["The owl is old.", "The owl is in the tree."]


def test_relations_that_name_their_ends_need_no_list_of_objects(imported: Import, real_rows: Path):
    found, report = imported("visual-genome", real_rows / "visual_genome.json")
    assert [fact.text for one in found for fact in one.facts] == [
        "There is a clock.",
        "There is a shade.",
        "There is a street.",
        "The clock is green.",
        "The clock is tall.",
        "The shade is on the street.",
    ]
    assert not report.refused_facts

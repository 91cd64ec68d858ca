from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.faults import RecordFileError
from perception_reward.annotations.importers.coco import make, plural, rows
from perception_reward.annotations.importers.model import Options

Import = Callable[..., Any]

DOCUMENT: dict[str, Any] = {
    "info": {"images": 3},
    "images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "2.jpg"}, {"id": 3, "file_name": "3.jpg"}],
    "annotations": [
        {"image_id": 1, "category_id": 17, "bbox": [0, 0, 1, 1], "iscrowd": 0},
        {"image_id": 2, "category_id": 1, "iscrowd": 1},
        {"image_id": 1, "category_id": 17, "iscrowd": 0},
        {"image_id": 1, "category_id": 35, "iscrowd": 0},
        {"image_id": 9, "category_id": 17, "iscrowd": 0},
        {"image_id": 3, "caption": "A dog on a boat."},
    ],
    "categories": [{"id": 17, "name": "cat"}, {"id": 1, "name": "person"}, {"id": 35, "name": "skis"}],
}


def test_things_of_a_kind_are_counted_and_crowds_are_not(imported: Import):
    found, report = imported("coco", json.dumps(DOCUMENT))
    assert [[fact.text for fact in one.facts] for one in found] == [
        ["There are 2 cats in the image.", "There is one pair of skis in the image."],
        ["There are several people in the image."],
        ["A dog on a boat."],
    ]
    assert report.refused_facts == {"is of a crowd, which is not counted": 1}
    assert report.refused_rows == {"is annotated, and not among the images": 1}


def test_a_document_that_ends_too_early_is_told(imported: Import):
    with pytest.raises(RecordFileError, match=r"rows\.json is no COCO document: "):
        imported("coco", json.dumps(DOCUMENT)[:400])


@pytest.mark.parametrize(
    ("one", "many"),
    [("dog", "dogs"), ("bus", "buses"), ("knife", "knives"), ("hair drier", "hair driers"), ("fairy", "fairies")],
)
def test_nouns_in_the_plural(one: str, many: str):
    assert plural(one) == many


def test_real_images(imported: Import, real_rows: Path):
    found, report = imported("coco", real_rows / "coco" / "instances.json")
    assert (len(found), report.facts, dict(report.refused_facts)) == (
        32,
        100,
        {"is of a crowd, which is not counted": 4},
    )


def test_a_folder_s_documents_are_read_together(tmp_path: Path):
    captions = {"annotations": DOCUMENT["annotations"][-1:], "images": DOCUMENT["images"]}
    instances = {**DOCUMENT, "annotations": DOCUMENT["annotations"][:-1]}
    for name, document in (("captions", captions), ("instances", instances)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    found = [make(row) for _, row in rows(tmp_path, Options()) if isinstance(row, dict) and row["id"] != 9]
    assert sorted(len(one.drafts) for one in found) == [1, 1, 2]

"""The page of a review as a file: everything is inside, and nothing in it runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.pipeline.rows import Extracted, Sighting
from perception_reward.annotations.review import chosen
from perception_reward.service.report.review import ImageRefused, Review

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
HOSTILE = "</script><img src=x onerror=alert(1)><!--"
ANNOTATION = Annotation.model_validate(
    {
        "id": "p",
        "question": HOSTILE,
        "answer": ["5", 6],
        "choices": ["one", "two"],
        "images": ["a.png"],
        "facts": [
            {"id": "f1", "text": "There are two cyclists.", "at": [12, 15]},
            {"id": "f2", "text": HOSTILE, "polarity": "distractor", "kind": "count"},
        ],
        "provenance": {"source": "worksheet", "model": "m"},
    }
)


def data(page: str) -> Any:
    found = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_page_that_is_a_file_holds_images_and_trajectories(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    claim = Sighting(statement="There are two cyclists", quote="two cyclists.")
    row = Extracted(id="p", question="?", response="𝒳 I see two cyclists.", claims=[claim])
    page = Review(chosen([ANNOTATION]), tmp_path, {"p": [row]}).page(served=False)
    assert HOSTILE not in page
    [problem] = data(page)["inside"]
    assert problem["images"][0]["url"].startswith("data:image/png;base64,")
    assert problem["answer"] == "5, 6"
    assert problem["choices"] == ["A. one", "B. two"]
    assert problem["trajectories"][0]["quotes"] == {"f1": ["two cyclists.", 8, 21]}
    assert [fact[3] for fact in data(page)["facts"]] == ["statement", "count (distractor)"]
    assert "0:12" in data(page)["facts"][0][7]
    assert "connect-src" not in page.split("<title>")[0]


def test_an_image_that_is_not_there_is_said_and_leaves_the_rest(tmp_path: Path):
    review = Review(chosen([ANNOTATION]), tmp_path)
    with pytest.raises(ImageRefused, match="no such file"):
        review.image(0, 0)
    assert "no such file" in review.problem(0)["images"][0]["why"]

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.row_files import BATCH_ROWS, problems_of, write_rows
from perception_reward.annotations.rows import LAYOUTS, SYSTEM_PROMPT, Incomplete, Problem


def annotation(number: int, **fields: Any) -> Annotation:
    facts = [{"id": "f1", "text": "Segment AB has length 5."}]
    whole = {"id": f"p{number}", "question": "Find AC.", "answer": "13", "images": ["img/a.png"], "facts": facts}
    return Annotation.model_validate(whole | fields)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "a.png").write_bytes(b"pixels")
    return tmp_path


def problems(root: Path, count: int, *, embed: bool) -> list[Problem]:
    made = problems_of(map(annotation, range(count)), root=root, embed=embed, system=SYSTEM_PROMPT)
    return [one for one in made if isinstance(one, Problem)]


@pytest.mark.parametrize("embed", [False, True])
@pytest.mark.parametrize("trainer", LAYOUTS)
def test_what_is_written_is_read_back(tmp_path: Path, root: Path, trainer: str, embed: bool):
    layout, out = LAYOUTS[trainer], tmp_path / "rows"
    count = BATCH_ROWS + 3
    made = problems(root, count, embed=embed)
    assert write_rows(out, layout, made) == count
    if layout.form == "parquet":
        rows = parquet.read_table(out).to_pylist()
    else:
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert rows == [layout.row(one, index) for index, one in enumerate(made)]


def test_images_are_marked_for_the_datasets_library(tmp_path: Path, root: Path):
    out = tmp_path / "rows.parquet"
    write_rows(out, LAYOUTS["trl"], problems(root, 1, embed=True))
    features = json.loads(parquet.read_schema(out).metadata[b"huggingface"])["info"]["features"]
    assert features["images"] == [{"_type": "Image"}]
    assert list(features) == ["prompt", "images", "annotation_id", "answer"]


@pytest.mark.parametrize(
    ("images", "embed", "words"),
    [
        (["img/none.png"], False, "there is no"),
        (["img/none.png"], True, "cannot be read"),
        (["http://images/a.png"], True, "not fetched"),
        ([], False, "no image"),
    ],
)
def test_an_image_that_is_not_there_is_told(root: Path, images: list[str], embed: bool, words: str):
    (made,) = problems_of([annotation(0, images=images)], root=root, embed=embed, system="")
    assert isinstance(made, Incomplete)
    assert "annotation 'p0'" in str(made)
    assert words in str(made)


def test_references_stay_as_they_are_without_a_root():
    images = ["img/a.png", "http://images/b.png"]
    (made,) = problems_of([annotation(0, images=images)], root=None, embed=False, system="")
    assert isinstance(made, Problem)
    assert [picture.as_path() for picture in made.pictures] == images


def test_a_failure_leaves_what_was_there(tmp_path: Path, root: Path):
    out = tmp_path / "rows"
    out.write_text("old", encoding="utf-8")
    made = problems(root, 1, embed=False)

    def broken():
        yield made[0]
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_rows(out, LAYOUTS["slime"], broken())
    assert out.read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["img", "rows"]

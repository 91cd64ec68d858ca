from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.row_files import problems_of, write_rows
from perception_reward.annotations.rows import LAYOUTS, Incomplete
from perception_reward.trainer_client.wire import Fact

Import = Callable[..., Any]


def rows(*infos: object) -> str:
    return "\n".join(
        json.dumps({"problem": "<image>Find x.", "answer": "5", "visual_key_info": info, "annotation_id": f"a{n}"})
        for n, info in enumerate(infos)
    )


def test_each_tag_is_a_fact(imported: Import):
    (annotation,), report = imported("perception-r1", rows("<info1>AB = 5.</info1>\n<info2>BC = 7.</info2>"))
    assert [(fact.id, fact.text) for fact in annotation.facts] == [("f1", "AB = 5."), ("f2", "BC = 7.")]
    assert (annotation.question, annotation.answer) == ("<image>Find x.", "5")
    assert not report.refused_facts


@pytest.mark.parametrize(
    ("info", "facts", "why"),
    [
        ("<info1>A.</info1><info2>B.", ["A."], "is in a tag that is not closed"),
        ("<info1>A.<info2>B.</info2>", ["B."], "is in a tag that is not closed"),
        ("<info1>A.</info2><info2>B.</info2>", ["B."], "has an end tag of another number"),
        ("A.</info1><info2>B.</info2>", ["B."], "ends in a tag that was not opened"),
        ("Facts: <info1>A.</info1>", ["A."], "stands outside the tags"),
        ("<info1>A.</info1> and so on", ["A."], "stands outside the tags"),
        ("<info1> </info1><info2>B.</info2>", ["B."], "is empty"),
        ("<info1>A.</info1><info3>B.</info3>", ["A.", "B."], "is numbered out of order, and kept"),
    ],
)
def test_malformed_tags_are_told(imported: Import, info: str, facts: list[str], why: str):
    (annotation,), report = imported("perception-r1", rows(info))
    assert [fact.text for fact in annotation.facts] == facts
    assert why in report.refused_facts


def test_rows_without_facts_in_tags_are_refused(imported: Import):
    _, report = imported("perception-r1", rows(None, "", "AB = 5."))
    assert report.refused_rows == {"has no visual_key_info": 2, "has no fact in tags": 1}


def test_its_parquet_is_read_with_images_left_out(imported: Import, tmp_path: Path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    row = {"problem": "Find x.", "answer": '{"answer": ["5", "five"]}', "visual_key_info": "<info1>AB = 5.</info1>"}
    table = arrow.Table.from_pylist([{**row, "images": [{"bytes": b"\x89PNG"}]}, row | {"images": []}])
    parquet.write_table(table, tmp_path / "train.parquet")
    found, _ = imported("perception-r1", tmp_path / "train.parquet")
    assert [(one.id, one.answer, one.images) for one in found] == [
        ("train-1", ["5", "five"], []),
        ("train-2", ["5", "five"], []),
    ]


def test_what_is_written_for_the_code_comes_back(imported: Import, tmp_path: Path):
    pytest.importorskip("pyarrow")
    facts = [Fact(id=f"f{n}", text=f"Segment AB has length {n}.") for n in range(1, 4)]
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    annotation = Annotation(id="a", question="Find x.", answer="5", images=["a.png"], facts=facts)
    problems = list(problems_of([annotation], root=tmp_path, embed=True, system=""))
    assert not isinstance(problems[0], Incomplete)
    write_rows(tmp_path / "train.parquet", LAYOUTS["perception-r1"], [problems[0]])
    (back,), report = imported("perception-r1", tmp_path / "train.parquet")
    assert [fact.text for fact in back.facts] == [fact.text for fact in facts]
    assert (back.id, back.answer, report.refused_facts.total()) == ("a", "5", 0)

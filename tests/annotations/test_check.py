from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.check import check

FACT = {"id": "f", "text": "AB = 5."}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_good_files_are_counted(tmp_path: Path):
    one = write(tmp_path / "one.jsonl", {"id": "a", "facts": [FACT]}, {"id": "b"})
    (other := tmp_path / "other.csv").write_text("id,answer\nc,5\n", encoding="utf-8")
    report = check([one, other])
    assert report.good
    told = list(report.lines())
    assert told[:2] == [f"{one}: 2 annotations (JSON Lines)", f"{other}: 1 annotations (CSV)"]
    assert "3 annotations with 1 seen" in told[2]
    assert told[-1] == "without any fact: 'b', 'c'"


def test_all_faults_of_all_files_are_told(tmp_path: Path):
    one = write(tmp_path / "one.jsonl", {"id": "a", "facts": [FACT]}, {"id": "b", "facts": [{"id": "f"}]}, {"x": 1})
    other = write(tmp_path / "other.jsonl", {"id": "c", "facts": [FACT]})
    third = write(tmp_path / "third.jsonl", {"id": "d"}, {"id": "c"})
    report = check([one, other, third])
    assert not report.good
    assert report.faults == [
        "one.jsonl line 2: fact 'f' has no text",
        "one.jsonl line 3: the annotation has no id (and 1 more)",
        "third.jsonl line 2: the id 'c' is already in other.jsonl",
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "there is no annotation in it"),
        ([{"id": "a", "facts": []}], "no annotation has a seen fact"),
        ([{"id": "a", "facts": [FACT | {"polarity": "distractor"}]}], "no annotation has a seen fact"),
    ],
)
def test_what_gives_no_perception_reward_is_no_success(tmp_path: Path, rows: list[Any], words: str):
    report = check([write(tmp_path / "a.jsonl", *rows)])
    assert not report.good
    assert words in list(report.lines())[-1]

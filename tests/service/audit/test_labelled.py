from __future__ import annotations

import json
from pathlib import Path

import pytest

from perception_reward.annotations.faults import RecordFileError
from perception_reward.service.audit.labelled import read_labelled


def written(folder: Path, *rows: object) -> Path:
    path = folder / "labelled.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_a_row_holds_one_fact_or_several(tmp_path: Path):
    path = written(
        tmp_path,
        {"response": "AB = 5", "fact": "Segment AB has length 5.", "label": "stated", "problem": "p1", "key": "x"},
        {"text": "AB = 6", "facts": [{"text": "AB is 5.", "kind": "length", "label": "contradicted"}, {"text": "C"}],
         "label": "absent"},
    )  # fmt: skip
    probes = read_labelled(path)
    assert [(probe.fact.text, probe.fact.kind, probe.expected) for probe in probes] == [
        ("Segment AB has length 5.", "statement", "stated"),
        ("AB is 5.", "length", "contradicted"),
        ("C", "statement", "absent"),
    ]
    assert {probe.family for probe in probes} == {"human"}
    assert probes[0].problem == "p1"
    assert probes[1].problem == probes[2].problem != "p1"


def test_a_response_without_the_part_that_is_judged_is_all_of_it(tmp_path: Path):
    rows = [{"response": text, "fact": "A", "label": "stated"} for text in ("AB = 5", "no <p>AB = 5</p>")]
    probes = read_labelled(written(tmp_path, *rows), "p")
    assert [probe.response for probe in probes] == ["<p>\nAB = 5\n</p>", "no <p>AB = 5</p>"]


def test_the_doubtful_are_a_family_of_their_own(tmp_path: Path):
    path = written(tmp_path, {"response": "AB", "fact": {"text": "A", "doubtful": True}, "label": "absent"})
    assert [probe.family for probe in read_labelled(path)] == ["doubtful"]


def test_a_row_that_comes_twice_counts_once(tmp_path: Path):
    row = {"response": "AB = 5", "fact": "AB is 5.", "label": "stated"}
    assert len(read_labelled(written(tmp_path, row, row))) == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "line 2: "),
        ({"response": "a", "fact": "b"}, "line 2: fact 1 has no label"),
        ({"response": "a", "label": "stated"}, "line 2: give `fact` (one) or `facts` (several)"),
        ({"response": "a", "fact": "b", "facts": ["c"], "label": "stated"}, "line 2: give `fact`"),
        ({"response": "a", "fact": "b", "label": "yes"}, "line 2: label: "),
        ({"response": "a", "facts": [{"text": " "}], "label": "stated"}, "line 2: facts[0].text: "),
        ({"fact": "b", "label": "stated"}, "line 2: response: "),
        ([1], "line 2: "),
    ],
)
def test_a_fault_names_its_line_and_field(tmp_path: Path, row: object, message: str):
    good = {"response": "a", "fact": "b", "label": "stated"}
    with pytest.raises(RecordFileError) as caught:
        read_labelled(written(tmp_path, good, row))
    assert f"labelled.jsonl {message}" in str(caught.value)


def test_an_empty_file_is_a_fault(tmp_path: Path):
    with pytest.raises(RecordFileError, match="holds no labelled response"):
        read_labelled(written(tmp_path))

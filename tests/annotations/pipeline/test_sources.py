"""Problems and chains of thought are read from the layouts that others keep them in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.pipeline.rows import Problem, Trajectory
from perception_reward.annotations.pipeline.sources import LAYOUTS, Unusable, WrongColumns, read_chains, read_problems


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def problems(path: Path, layout: str = "plain", **mapped: str) -> list[Problem | Unusable]:
    return [row for _, row in read_problems(path, LAYOUTS[layout], mapped)]


def chains(path: Path, layout: str = "plain", **mapped: str) -> list[Trajectory | Unusable]:
    return [row for _, row in read_chains(path, LAYOUTS[layout], mapped)]


def test_the_usual_names_are_known_and_others_are_mapped(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "p.jsonl",
        {"pid": 7, "problem": "<image>Find x.", "answer": 5, "image": "a.png"},
        {"pid": "b", "problem": "Find y.", "answer": ["1", "one"], "choices": ["1", "2"], "image": None},
    )
    assert problems(path) == [
        Problem(id="7", question="Find x.", answer=5, images=["a.png"], source="p.jsonl"),
        Problem(id="b", question="Find y.", answer=["1", "one"], choices=["1", "2"], source="p.jsonl"),
    ]
    path = lines(tmp_path / "q.jsonl", {"q": "Find x.", "truth": "5"})
    assert problems(path, question="q", answer="truth") == [
        Problem(id="q-1", question="Find x.", answer="5", source="q.jsonl")
    ]


def test_rows_that_lack_something_are_told_and_the_others_used(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", {"id": "a"}, {"id": "b", "question": "Find x."}, {"id": "", "question": " "})
    path.write_text(path.read_text() + "{\n", encoding="utf-8")
    found = problems(path)
    assert [one.why if isinstance(one, Unusable) else one.id for one in found] == [
        "has no question",
        "b",
        "has no question",
        "cannot be read",
    ]


def test_wrong_columns_are_told_with_those_that_are_there(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", {"text": "Find x.", "id": 1}, {"text": "Find y.", "id": 2})
    with pytest.raises(
        WrongColumns, match=r"has no question: looked for .*there are text, id; .*--map question=COLUMN"
    ):
        problems(path)
    with pytest.raises(WrongColumns, match="has no response"):
        chains(lines(tmp_path / "c.jsonl", {"question": "Find x."}))


def test_conversations_hold_the_question_and_the_chain(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "c.jsonl",
        {
            "id": "a",
            "original_answer": "5",
            "conversations": [
                {"from": "human", "value": "<image>\nFind x."},
                {"from": "gpt", "value": "<think>AB = 5</think><answer>5</answer>"},
            ],
        },
        {
            "id": "b",
            "messages": [
                {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Find y."}]},
                {"role": "assistant", "content": "It is 6."},
            ],
        },
    )
    first, second = chains(path, "r1")
    assert isinstance(first, Trajectory)
    assert isinstance(second, Trajectory)
    assert (first.question, first.answer, first.response) == ("Find x.", "5", "<think>AB = 5</think><answer>5</answer>")
    assert (second.question, second.response) == ("Find y.", "It is 6.")


def test_chains_of_one_problem_and_model_are_numbered(tmp_path: Path) -> None:
    row = {"question": "Find x.", "response": "It is 5."}
    path = lines(
        tmp_path / "c.jsonl",
        {**row, "id": "a", "model": "m"},
        {**row, "id": "a", "model": "n"},
        {**row, "id": "a", "model": "m"},
        {**row, "id": "b", "model": "m", "sample": 9},
    )
    found = [one for one in chains(path) if isinstance(one, Trajectory)]
    assert [(one.id, one.provenance.model, one.sample) for one in found] == [
        ("a", "m", 0),
        ("a", "n", 0),
        ("a", "m", 1),
        ("b", "m", 9),
    ]
    assert found[0].provenance.source == "c.jsonl"


def test_images_in_parquet_and_in_folders_of_the_datasets_library_become_files(tmp_path: Path) -> None:
    arrow: Any = pytest.importorskip("pyarrow")
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    image = {"bytes": b"\x89PNG not really", "path": None}
    rows = [{"id": name, "problem": "<image>Find x.", "answer": "5", "images": [image]} for name in "ab"]
    table = arrow.Table.from_pylist(rows)
    parquet.write_table(table, tmp_path / "p.parquet")
    folder = tmp_path / "set"
    folder.mkdir()
    with arrow.ipc.new_stream(str(folder / "data-0.arrow"), table.schema) as writer:
        writer.write_table(table)
    (folder / "state.json").write_text('{"_data_files": [{"filename": "data-0.arrow"}]}', encoding="utf-8")
    images = tmp_path / "images"
    for path in (tmp_path / "p.parquet", folder):
        found = [row for _, row in read_problems(path, LAYOUTS["geometry3k"], {}, images)]
        assert [row.images for row in found if isinstance(row, Problem)] == [
            [file.name for file in images.iterdir()]
        ] * 2
    assert [file.read_bytes() for file in images.iterdir()] == [image["bytes"]]


def test_mathvista_s_responses_are_chains(shared_data: Path) -> None:
    rows = read_chains(shared_data / "mathvista" / "responses.jsonl", LAYOUTS["plain"], {})
    found = [row for _, row in rows]
    unusable = [row for row in found if isinstance(row, Unusable)]
    assert (len(found), {row.why for row in unusable}) == (14000, {"has no response"})
    assert len(unusable) < 500

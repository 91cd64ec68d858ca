from __future__ import annotations

import json
from pathlib import Path

import pytest

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.annotations.importers.model import Options
from perception_reward.annotations.importers.sources import files_of, records, whole_files


def test_a_folder_is_read_in_the_order_of_its_numbers_with_every_file_named(tmp_path: Path):
    for name in ("10", "2", "1"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"v": name}))
    (tmp_path / "note.txt").write_text("no data")
    rows = list(records("v")(tmp_path, Options()))
    assert [place for place, _ in rows] == ["1.json line 1", "2.json line 1", "10.json line 1"]


def test_lists_inside_one_document_are_read_entry_by_entry(tmp_path: Path):
    path = tmp_path / "d.json"
    path.write_text('{"info": {"scenes": [1]},\n "scenes": [{"v": 1}, 5, {"v": 2}], "more": []}')
    rows = [row for _, row in records("v", lists=("scenes",))(path, Options())]
    assert [row.message if isinstance(row, LineError) else row["v"] for row in rows] == [1, "is no object", 2]


def test_a_document_that_breaks_off_is_told_with_its_line(tmp_path: Path):
    path = tmp_path / "d.json"
    path.write_text('{"scenes": [{"v": 1},\n{"v": ')
    with pytest.raises(RecordFileError, match=r"d\.json .* line 2"):
        list(records("v", lists=("scenes",))(path, Options()))


def test_a_file_that_cannot_be_read_whole_is_one_refused_row(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.csv").write_text("x")
    rows = list(whole_files(lambda content: {"content": content}, ".csv")(tmp_path, Options()))
    assert isinstance(rows[0][1], LineError)
    assert rows[1] == ("b.csv", {"id": "b", "content": "x"})


def test_a_folder_without_such_files_is_told(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"holds no file that ends in \.csv"):
        files_of(tmp_path, [".csv"])

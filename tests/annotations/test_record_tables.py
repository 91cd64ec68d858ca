from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from perception_reward.annotations.faults import RecordFileError
from perception_reward.annotations.jsonl import read_annotations
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.record_tables import BATCH_ROWS
from perception_reward.trainer_client.wire import Fact


def write(path: Path, table: Any) -> Path:
    pq.write_table(table, path)
    return path


def test_rows_with_missing_columns_and_nulls_are_read(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(
        [
            {"id": "a", "answer": None, "facts": [{"id": "f1", "text": "AB is 5.", "kind": None, "weight": 2.0}]},
            {"id": "b", "answer": "7", "facts": None},
            {"id": "c", "answer": "7", "facts": []},
        ]
    )
    assert read_annotations(write(tmp_path / "t.parquet", table)) == {
        1: Annotation(id="a", facts=[Fact(id="f1", text="AB is 5.", weight=2.0)]),
        2: Annotation(id="b", answer="7"),
        3: Annotation(id="c", answer="7"),
    }


def test_dictionary_encoded_and_large_strings_are_read(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array(["a", "b"], pa.large_string()),
            "answer": pa.array(["5", "5"]).dictionary_encode(),
            "images": pa.array([["x.png"], []], pa.large_list(pa.large_string())),
        }
    )
    found = read_annotations(write(tmp_path / "t.parquet", table))
    assert [(one.id, one.answer, one.images) for one in found.values()] == [("a", "5", ["x.png"]), ("b", "5", [])]


def test_rows_are_counted_across_batches(tmp_path: Path) -> None:
    table = pa.table({"id": [f"p{n}" for n in range(BATCH_ROWS + 5)]})
    found = read_annotations(write(tmp_path / "t.parquet", table))
    assert found[BATCH_ROWS + 5].id == f"p{BATCH_ROWS + 4}"


def test_faults_name_their_rows(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{"id": "a"}, {"id": "a"}, {"id": None}])
    with pytest.raises(RecordFileError) as caught:
        read_annotations(write(tmp_path / "t.parquet", table))
    assert str(caught.value).splitlines() == [
        "t.parquet row 2: the id 'a' is already that of row 1",
        "t.parquet row 3: the annotation has no id",
    ]


def test_an_unknown_column_is_named_once(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b"], "anwser": ["5", "6"]})
    with pytest.raises(RecordFileError) as caught:
        read_annotations(write(tmp_path / "t.parquet", table))
    assert len(caught.value.faults) == 1
    assert "has a column 'anwser' that is not known; known are id, question, answer" in str(caught.value)


def test_a_file_that_is_no_table_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_text("no table")
    with pytest.raises(RecordFileError, match="is not JSON Lines, a JSON array, CSV or Parquet"):
        read_annotations(path)
    with pytest.raises(FileNotFoundError):
        read_annotations(tmp_path / "none.parquet")


def test_a_parquet_file_that_is_damaged_in_its_middle_is_told_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", pa.Table.from_pylist([{"id": "a", "answer": "7"}]))
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"<think>" + content[11:])
    with pytest.raises(RecordFileError, match=r"^t\.parquet cannot be read behind row 0 \(.*\)$"):
        read_annotations(path)


def test_a_sheet_that_is_damaged_in_its_middle_is_told_in_one_line(tmp_path: Path) -> None:
    book = Workbook()
    sheet: Any = book.active
    for row in (["id", "answer"], *(["a", number] for number in range(50))):
        sheet.append(row)
    book.save(tmp_path / "whole.xlsx")
    path = tmp_path / "t.xlsx"
    with ZipFile(tmp_path / "whole.xlsx") as whole, ZipFile(path, "w") as damaged:
        for name in whole.namelist():
            content = whole.read(name)
            damaged.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    with pytest.raises(RecordFileError, match=r"^t\.xlsx cannot be read behind row \d+ \(.*\)$"):
        read_annotations(path)

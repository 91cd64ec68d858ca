from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import os
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.annotations.files import remote
from perception_reward.annotations.records import open_records

ROWS = [{"id": "a", "response": "AB = 5, groß ∠"}, {"id": "b", "response": 'he said "5",\nthen left'}]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
CSV = 'id,response\na,"AB = 5, groß ∠"\nb,"he said ""5"",\nthen left"\n'


def read(path: Path, **how: Any) -> list[Any]:
    return [record for _, record in open_records(path, known=("id", "response", "facts"), **how)]


def parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


FORMS: dict[str, bytes] = {
    "lines": LINES.encode(),
    "lines of Windows": LINES.replace("\n", "\r\n").encode(),
    "lines with a mark": codecs.BOM_UTF8 + LINES.encode(),
    "lines in UTF-16": LINES.encode("utf-16"),
    "lines in UTF-16 without a mark": LINES.encode("utf-16-le"),
    "lines in big UTF-16": codecs.BOM_UTF16_BE + LINES.encode("utf-16-be"),
    "lines in big UTF-16 without a mark": LINES.encode("utf-16-be"),
    "lines in UTF-32": LINES.encode("utf-32"),
    "array": json.dumps(ROWS).encode(),
    "array in UTF-16": json.dumps(ROWS).encode("utf-16"),
    "array over lines": json.dumps(ROWS, indent=2).encode(),
    "objects over lines": "\n".join(json.dumps(row, indent=2) for row in ROWS).encode(),
    "CSV": CSV.encode(),
    "CSV of Excel": codecs.BOM_UTF8 + CSV.replace("id,", "id;").replace("a,", "a;").replace("b,", "b;").encode(),
    "CSV of Windows": CSV.encode("utf-16"),
    "TSV": 'id\tresponse\na\tAB = 5, groß ∠\nb\t"he said ""5"",\nthen left"\n'.encode(),
    "Parquet": parquet(ROWS),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["rollouts", "rollouts.jsonl", "rollouts.csv.gz"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_under_every_name(tmp_path: Path, form: str, name: str, packed: bool):
    if form == "Parquet" and packed:
        pytest.skip("told by another test")
    path = tmp_path / name
    path.write_bytes(gzip.compress(FORMS[form]) if packed else FORMS[form])
    assert read(path) == ROWS
    file = open_records(path, known=("id",))
    assert [place for place, _ in file] == [place for place, _ in file], "each iteration reads it anew"


def zstd(content: bytes) -> bytes:
    """In two frames, as a writer leaves them that has been interrupted."""
    out = pa.BufferOutputStream()
    for half in (content[:50], content[50:]):
        frame = pa.BufferOutputStream()
        with pa.CompressedOutputStream(frame, "zstd") as packed:
            packed.write(half)
        out.write(frame.getvalue())
    return out.getvalue().to_pybytes()


@pytest.mark.parametrize("name", ["rollouts", "rollouts.jsonl.zst", "rollouts.csv.zst"])
@pytest.mark.parametrize("form", ["lines", "lines in UTF-16", "array over lines", "CSV"])
def test_zstd_is_unpacked(tmp_path: Path, form: str, name: str):
    (tmp_path / name).write_bytes(zstd(FORMS[form]))
    assert read(tmp_path / name) == ROWS


def test_arrow_is_read_as_file_and_as_stream_and_without_columns_of_bytes(tmp_path: Path):
    table = pa.Table.from_pylist([{**row, "image": {"bytes": b"png", "path": None}} for row in ROWS])
    for new in (pa.ipc.new_file, pa.ipc.new_stream):
        with new(tmp_path / "data.arrow", table.schema) as writer:
            writer.write_table(table, max_chunksize=1)
        assert read(tmp_path / "data.arrow") == ROWS
        assert open_records(tmp_path / "data.arrow", known=("id",)).left_out == ("image",)


def test_a_sheet_is_read_as_a_table(tmp_path: Path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (("index", "response", "score"), (1, "AB = 5", None), (2, None, 0.5)):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx") == [{"index": 1, "response": "AB = 5", "score": None}, {"index": 2, "score": 0.5}]


@pytest.mark.parametrize("indent", [None, 4])
def test_one_object_of_objects_is_read_with_their_keys(tmp_path: Path, indent: int | None):
    by_key = {str(number): {"question": "AB?", "response": "AB = 5, groß"} for number in range(3000)}
    path = tmp_path / "output.json"
    path.write_text(json.dumps(by_key, indent=indent), encoding="utf-8")
    assert read(path) == [{"id": key, **row} for key, row in by_key.items()]
    path.write_text(path.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    assert isinstance(read(path)[-1], LineError)


@pytest.mark.parametrize(
    "record",
    [
        {"extra_info": {"index": 1}, "response": "AB = 5"},
        {"request": {"url": "/v1"}, "response": {"status": 200}},
        {"a": {"x": 1}},
        {"chosen": {"role": "user", "content": "a"}, "rejected": {"role": "user", "content": "b"}},
    ],
)
def test_a_record_that_holds_objects_is_one_record(tmp_path: Path, record: dict[str, Any]):
    lines = json.dumps(record) + "\n" + json.dumps(record)
    for content in [lines] if "chosen" in record else [lines, json.dumps(record), json.dumps(record, indent=1)]:
        (tmp_path / "a.json").write_text(content, encoding="utf-8")
        assert all(found == record for found in read(tmp_path / "a.json"))


@pytest.mark.parametrize("form", FORMS)
def test_reading_goes_on_behind_a_place(tmp_path: Path, form: str):
    (tmp_path / "rollouts").write_bytes(FORMS[form])
    file = open_records(tmp_path / "rollouts", known=("id",))
    assert list(file.records(after=1)) == list(file)[1:]
    assert list(file.records(after=2)) == []


def test_a_file_at_a_url_is_read(tmp_path: Path):
    memory = pytest.importorskip("fsspec").filesystem("memory")
    for form, content in {**FORMS, "gzip": gzip.compress(FORMS["lines"]), "zstd": zstd(FORMS["CSV"])}.items():
        memory.pipe_file("/records/rollouts", content)
        file = open_records(remote("memory://records/rollouts"), known=("id", "response"))
        assert [record for _, record in file] == ROWS, form


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.jsonl", LINES)
    return out.getvalue()


def arrow(new: Callable[..., Any]) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pylist(ROWS)
    with new(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(), "is a zip archive"),
        (bz2.compress(LINES.encode()), "bunzip2"),
        (lzma.compress(LINES.encode()), "unxz"),
        (b"\x28\xb5\x2f\xfd....", "is no complete zstd file"),
        (zstd(LINES.encode() * 9)[:-9], "is no complete zstd file"),
        (zstd(zstd(LINES.encode())), "is packed twice"),
        (zstd(parquet(ROWS)), "is Parquet packed with zstd; unpack it with `zstd -d`"),
        (arrow(pa.ipc.new_file)[:-9], "is no Arrow table"),
        (pickle.dumps(ROWS), "is a Python pickle"),
        (gzip.compress(parquet(ROWS)), "is Parquet packed with gzip; unpack it"),
        (gzip.compress(gzip.compress(LINES.encode())), "is packed twice"),
        (gzip.compress(LINES.encode() * 9)[:-9], "is no complete gzip file"),
        (parquet(ROWS)[:-9], "is no Parquet table"),
        (bytes(range(256)) * 4, "is no text"),
        (
            b"Once upon a time\nthere was",
            "is not JSON Lines, a JSON array, CSV or Parquet; it begins with 'Once upon a",
        ),
        (b"\x89PNG\r\n\x1a\n", "is an image"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    with pytest.raises(RecordFileError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith("file.bin ")
    assert words in message
    assert "\n" not in message


def test_a_folder_and_a_pipe_are_named_and_no_file_is_an_error_of_the_system(tmp_path: Path):
    with pytest.raises(IsADirectoryError):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordFileError, match="save it to a file first"):
        read(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")


def test_an_empty_file_has_no_records(tmp_path: Path):
    for content in (b"", b"\n \n", b"[]", b"id,response\n", parquet([])):
        (tmp_path / "empty.csv").write_bytes(content)
        assert read(tmp_path / "empty.csv") == []


def test_a_header_tells_csv_where_the_name_does_not(tmp_path: Path):
    (tmp_path / "rollouts.txt").write_text("response\tnote\nAB\tx\n", encoding="utf-8")
    assert read(tmp_path / "rollouts.txt") == [{"response": "AB", "note": "x"}]


def test_cells_hold_json_where_a_field_is_nested_and_an_empty_one_is_no_field(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text('id,facts,note\na,"[{""id"": ""f""}]",\n,,x\nb,[1,y\n', encoding="utf-8")
    good, empty, bad = read(path, nested=("facts",))
    assert good == {"id": "a", "facts": [{"id": "f"}], "note": ""}
    assert empty == {"note": "x"}
    assert bad.message.startswith("has no JSON in its facts")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id,response\na,b,c\n", "row 1: has 3 cells, and the header names 2 columns"),
        (b"id,response\na\n", "row 1: has 1 cells"),
        (b"id,response\n\na,\xff\n", "row 1: is not UTF-8 in its response"),
        (b'id,response\na,b"\nc,"d" e\n', "row 2: is no row of CSV"),
    ],
)
def test_a_row_that_is_none_is_told_with_its_number(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    file = open_records(path, known=("id", "response"))
    (fault,) = (found for _, found in file if isinstance(found, LineError))
    assert words in f"{file.unit} {fault.line}: {fault.message}"


@pytest.mark.parametrize(("header", "words"), [("id,id", "'id' twice"), ("id,,x", "without a name")])
def test_a_header_that_is_none_is_told(tmp_path: Path, header: str, words: str):
    (tmp_path / "a.csv").write_text(header + "\n1,2,3\n", encoding="utf-8")
    with pytest.raises(RecordFileError, match=words):
        read(tmp_path / "a.csv")


def test_columns_of_bytes_are_left_out_and_named(tmp_path: Path):
    rows = [{"id": "a", "images": [{"bytes": b"png", "path": "a.png"}], "n": float("nan"), "response": float("nan")}]
    (path := tmp_path / "a.parquet").write_bytes(parquet(rows))
    file = open_records(path, known=("id", "response"))
    assert file.left_out == ("images",)
    ((_, record),) = file
    assert set(record) == {"id", "n"}, "a missing number of a known column is no field"  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "parquet", "jsonl.gz", "arrow"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, form: str):
    """Twenty times the rows take no more memory: 80 MB of text are read in a few."""
    peaks = [_peak(_write(tmp_path / f"{count}.{form}", count, form)) for count in (2_000, 40_000)]
    assert peaks[1] < peaks[0] + (4 << 20)
    assert peaks[1] < 24 << 20


def _write(path: Path, count: int, form: str) -> Path:
    response = "AB = 5. " * 250
    if form in ("parquet", "arrow"):
        schema = pa.schema([("id", pa.string()), ("response", pa.string())])
        with pq.ParquetWriter(path, schema) if form == "parquet" else pa.ipc.new_stream(path, schema) as writer:
            for start in range(0, count, 1000):
                ids = [str(number) for number in range(start, start + 1000)]
                writer.write_table(pa.table({"id": ids, "response": [response] * 1000}, schema))
        return path
    with gzip.open(path, "wt") if form.endswith("gz") else path.open("w") as out:
        out.write({"json": "[", "csv": "id,response\n"}.get(form, ""))
        for number in range(count):
            row = f"{number},{response}" if form == "csv" else json.dumps({"id": str(number), "response": response})
            out.write(("," if form == "json" and number else "") + row + "\n")
        out.write("]" if form == "json" else "")
    return path


def _peak(path: Path) -> int:
    tracemalloc.start()
    try:
        assert sum(1 for _ in open_records(path, known=("id", "response"))) > 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perception_reward.service.batch.inputs import identity, inputs_of, size_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "dumps/10.jsonl",
        "dumps/2.jsonl.gz",
        "dumps/notes.txt",
        "dumps/.hidden/1.jsonl",
        "set/train/data-00000-of-00002.arrow",
        "set/train/data-00001-of-00002.arrow",
        "set/train/cache-1.arrow",
        "set/train/state.json",
        "set/dataset_dict.json",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}", encoding="utf-8")
    return tmp_path


def names(*named: object) -> list[str]:
    return [file.name for file in inputs_of([str(name) for name in named])]


def test_of_a_folder_what_may_hold_rollouts_is_read_in_natural_order(folder: Path):
    assert names(folder / "dumps") == ["2.jsonl.gz", "10.jsonl"]
    assert names(folder / "set") == ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]


def test_files_globs_and_folders_are_read_as_named_and_once(folder: Path):
    assert names(folder / "dumps" / "10.jsonl", folder / "dumps") == ["10.jsonl", "2.jsonl.gz"]
    assert names(folder / "*" / "*.jsonl*") == ["2.jsonl.gz", "10.jsonl"]
    assert names(folder / "**" / "*.arrow", folder / "dumps" / "notes.txt")[-1] == "notes.txt"


def test_a_url_names_a_file_a_folder_or_a_glob(folder: Path):
    memory = pytest.importorskip("fsspec").filesystem("memory")
    for name in ("10.jsonl", "2.jsonl", "notes.txt"):
        memory.pipe_file(f"/inputs/{name}", b"{}")
    assert names("memory://inputs") == ["2.jsonl", "10.jsonl"]
    assert names("memory://inputs/*.jsonl") == ["2.jsonl", "10.jsonl"]
    assert names("memory://inputs/notes.txt") == ["notes.txt"]
    (file,) = inputs_of([f"file://{folder}/dumps/10.jsonl"])
    assert size_of(file) == 2
    assert identity([file]) == identity(inputs_of([f"file://{folder}/dumps/10.jsonl"]))


@pytest.mark.parametrize(
    ("name", "words"),
    [("empty", "no file in it that may hold"), ("*.jsonl", "there is no such file"), ("memory://none/*", "no such")],
)
def test_what_names_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str):
    pytest.importorskip("fsspec")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words):
        inputs_of([name])


def test_the_identity_changes_with_a_file(folder: Path):
    files = inputs_of([str(folder)])
    before = identity(files)
    os.utime(folder / "dumps" / "10.jsonl", (1, 1))
    assert identity(files) != before
    assert identity(files[1:]) != identity(files)

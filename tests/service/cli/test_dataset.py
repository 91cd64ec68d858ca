from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from typer.testing import CliRunner

from perception_reward.annotations.rows import LAYOUTS
from perception_reward.service.cli.main import app

FACTS = [{"id": "f1", "text": "Segment AB has length 5."}]
WHOLE = {"id": "p1", "question": "Find AC.", "answer": "13", "images": ["a.png"], "facts": FACTS}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(b"pixels")
    path = tmp_path / "annotations.jsonl"
    lines = [WHOLE, {**WHOLE, "id": "p2", "answer": None}, {**WHOLE, "id": "p3", "images": ["b.png"]}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["dataset", *map(str, arguments)])


def test_what_is_incomplete_is_told_and_nothing_is_written(source: Path, tmp_path: Path):
    result = run("slime", source, tmp_path / "out.jsonl", "--image-root", tmp_path)
    assert result.exit_code == 2
    assert "annotation 'p2' has no answer" in result.stderr
    assert "b.png" in result.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_or_left_out_where_that_is_asked_for(source: Path, tmp_path: Path):
    out = tmp_path / "out.jsonl"
    result = run("slime", source, out, "--image-root", tmp_path, "--skip-incomplete")
    assert result.exit_code == 0, result.stderr
    assert "1 rows for slime" in result.stdout
    assert "2 left out" in result.stdout
    assert "--label-key label" in result.stdout
    (row,) = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert row["images"] == ["a.png"]
    assert "left out: 2 annotations (1 no answer, 1 no image file)" in result.stderr


@pytest.mark.parametrize(("origin", "told"), [("seen", False), ("given", True), ("derived", True)])
def test_rows_without_a_seen_fact_are_counted(tmp_path: Path, origin: str, told: bool):
    source = tmp_path / "annotations.jsonl"
    rows = [WHOLE | {"id": name, "facts": [{**FACTS[0], "origin": origin}]} for name in "ab"]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = run("slime", source, tmp_path / "out.jsonl")
    assert done.exit_code == 0, done.output
    assert ("2 of them have no fact seen in the image" in done.stdout) == told


def test_images_are_named_from_the_folder_of_the_file_on(source: Path, tmp_path: Path):
    (tmp_path / "data").mkdir()
    options = ("--image-root", tmp_path, "--skip-incomplete")
    result = run("easyr1", source, tmp_path / "data" / "out.parquet", *options)
    assert parquet.read_table(tmp_path / "data" / "out.parquet")["images"].to_pylist() == [["../a.png"]]
    assert f"data.image_dir={tmp_path / 'data'}" in result.stdout
    run("easyr1", source, tmp_path / "absolute.parquet", *options, "--absolute-paths")
    assert parquet.read_table(tmp_path / "absolute.parquet")["images"].to_pylist() == [[str(tmp_path / "a.png")]]


def test_gym_reads_urls_whatever_the_paths_are_relative_to(source: Path, tmp_path: Path):
    (tmp_path / "data").mkdir()
    out = tmp_path / "data" / "out.jsonl"
    run("nemo-gym", source, out, "--image-root", tmp_path, "--skip-incomplete")
    assert (tmp_path / "a.png").as_uri() in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("trainer", LAYOUTS)
def test_a_set_may_have_text_alone(trainer: str, tmp_path: Path):
    source = tmp_path / "annotations.jsonl"
    source.write_text(json.dumps({**WHOLE, "images": [], "question": "<image>Find AC."}) + "\n", encoding="utf-8")
    out = tmp_path / f"out.{LAYOUTS[trainer].form}"
    without = run(trainer, source, out)
    assert without.exit_code == 2
    assert "(1 no image)" in without.stderr
    assert "--text-only writes a set without images" in without.stderr
    result = run(trainer, source, out, "--text-only")
    assert result.exit_code == 0, result.stderr
    assert "image" not in result.stdout
    if out.suffix == ".parquet":
        (row,) = parquet.read_table(out).to_pylist()
    else:
        (row,) = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert "image" not in json.dumps(row)
    assert "Find AC." in json.dumps(row)


@pytest.mark.parametrize(
    ("trainer", "name", "words"),
    [
        ("trl", "rows.jsonl", "trl reads Parquet; name it rows.parquet"),
        ("slime", "rows.parquet", "slime reads JSON Lines; name it rows.jsonl"),
        ("slime", "rows.csv", "name it rows.jsonl"),
    ],
)
def test_a_file_is_what_its_name_says(source: Path, tmp_path: Path, trainer: str, name: str, words: str):
    result = run(trainer, source, tmp_path / name)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("content", "words"), [("", "holds no annotation"), ('{"id": "a"}\n', "every annotation lacks")]
)
def test_a_set_of_no_rows_is_not_written(tmp_path: Path, content: str, words: str):
    (tmp_path / "annotations.jsonl").write_text(content, encoding="utf-8")
    result = run("slime", tmp_path / "annotations.jsonl", tmp_path / "out.jsonl", "--skip-incomplete")
    assert result.exit_code == 2
    assert words in result.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_a_prompt_of_ones_own_takes_the_place_of_the_system_prompt(source: Path, tmp_path: Path):
    (tmp_path / "prompt.txt").write_text("Look.\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    run("slime", source, out, "--skip-incomplete", "--system-prompt", tmp_path / "prompt.txt")
    assert json.loads(out.read_text(encoding="utf-8").splitlines()[0])["prompt"][0]["content"] == "Look."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("no-such", "x.jsonl", "out"), "easyr1"),
        (("trl", "no-such-file.jsonl", "out"), "No such file"),
        (("trl", "no-such-file.jsonl", "out", "--image-root", "no-such-folder"), "no-such-folder"),
    ],
)
def test_a_wrong_argument_is_told_in_a_line(arguments: tuple[str, ...], words: str):
    result = run(*arguments)
    assert result.exit_code != 0
    assert words in result.stderr
    assert "Traceback" not in result.output

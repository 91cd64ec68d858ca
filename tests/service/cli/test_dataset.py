from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

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
    assert row["images"] == [str(tmp_path / "a.png")]


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

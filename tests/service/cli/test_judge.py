"""`perception-reward judge`, as far as it needs no model."""

from __future__ import annotations

from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import app


@pytest.fixture
def annotations() -> Path:
    with as_file(files("perception_reward.service.demo") / "annotations.jsonl") as path:
        return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["judge", *arguments], env={"COLUMNS": "200"})


def test_a_dry_run_tells_what_would_be_taught_and_writes_nothing(annotations: Path, tmp_path: Path):
    out = tmp_path / "judge"
    done = run("train", "any", str(out), "--annotations", str(annotations), "--most", "4", "--probes", "2", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "| paraphrase | 4 | 0 | 0 |" in done.stdout
    assert "| claimed verdict | 0 | 0 | 4 |" in done.stdout
    assert "held out for measuring" in done.stdout
    assert not out.exists()


def test_a_faulty_file_is_told_with_its_line(tmp_path: Path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"response": "a", "fact": "b", "label": "maybe"}\n', encoding="utf-8")
    done = run("train", "any", str(tmp_path / "judge"), "--labelled", str(bad), "--dry-run")
    assert done.exit_code == 2
    assert "bad.jsonl line 1: label" in done.stderr
    done = run("train", "any", str(tmp_path / "judge"), "--annotations", str(tmp_path / "none.jsonl"), "--dry-run")
    assert done.exit_code == 2
    assert "none.jsonl" in done.stderr


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.tex").touch()
    done = run("train", "any", str(tmp_path), "--most", "1")
    assert done.exit_code == 2
    assert "holds something already; name another folder, or pass --force" in done.stderr
    assert (tmp_path / "thesis.tex").exists()


@pytest.mark.skipif(find_spec("torch") is not None, reason="training's packages are installed")
def test_packages_that_are_missing_are_named_with_the_extra(tmp_path: Path):
    done = run("train", "any", str(tmp_path / "judge"), "--most", "1")
    assert done.exit_code == 2
    assert "pip install 'perception-reward[train]'" in done.stderr

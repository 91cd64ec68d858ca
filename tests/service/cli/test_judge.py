"""`perception-reward judge`, as far as it needs no model."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import app
from perception_reward.service.settings import load


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


def labelled(path: Path, count: int = 8) -> Path:
    rows = [
        {
            "response": f"AB = {number}.",
            "fact": f"Segment AB has length {value}.",
            "label": label,
            "problem": f"p{number}",
        }
        for number in range(3, 3 + count)
        for value, label in ((number, "stated"), (number + 1, "contradicted"))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_what_is_chosen_is_printed_with_its_worth_and_written_for_serve(tmp_path: Path):
    out = tmp_path / "judge.toml"
    done = run("choose", str(out), "--labelled", str(labelled(tmp_path / "pairs.jsonl")))
    assert done.exit_code == 0, done.output
    assert "→ symbolic" in done.stdout
    assert "chosen: symbolic; on problems that it was not chosen on" in done.stdout
    assert load(judge_config=out).judge == "symbolic"
    again = run("choose", str(out), "--labelled", str(tmp_path / "pairs.jsonl"))
    assert again.exit_code == 2
    assert "exists; name another file, or pass --force" in again.stderr


def test_how_the_judges_were_asked_is_written_too(tmp_path: Path):
    out, asked = tmp_path / "judge.toml", ["--judge-tokenizer", "/models/a", "--judge-engine-arg", "dtype=float32"]
    pairs = labelled(tmp_path / "pairs.jsonl")
    done = run("choose", str(out), "--labelled", str(pairs), *asked, "--max-response-chars", "4096")
    assert done.exit_code == 0, done.output
    settings = load(judge_config=out)
    assert settings.judge_tokenizer == "/models/a"
    assert settings.judge_engine_arg == ("dtype=float32",)
    assert settings.max_response_chars == 4096


def test_choosing_on_nothing_and_from_a_judge_that_there_is_not_are_told(tmp_path: Path):
    done = run("choose", str(tmp_path / "a.toml"))
    assert done.exit_code == 2
    assert "nothing to choose on" in done.stderr
    pairs = labelled(tmp_path / "pairs.jsonl")
    done = run("choose", str(tmp_path / "a.toml"), "--labelled", str(pairs), "--judge", "gpt")
    assert done.exit_code == 2
    assert "no judge is called 'gpt'" in done.stderr
    assert not (tmp_path / "a.toml").exists()


def test_a_server_that_is_not_there_is_told_and_not_taken_for_a_bad_judge(tmp_path: Path):
    pairs = labelled(tmp_path / "pairs.jsonl")
    done = run("choose", str(tmp_path / "a.toml"), "--labelled", str(pairs), "--judge", "openai:http://127.0.0.1:9#m")
    assert done.exit_code == 2
    assert "the judge openai:http://127.0.0.1:9#m cannot be tried" in done.stderr
    assert not (tmp_path / "a.toml").exists()

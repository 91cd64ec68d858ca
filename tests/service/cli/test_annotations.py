"""`perception-reward annotations`: what is checked, and what is no success."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import app

FACT = {"id": "f", "text": "Segment AB has length 5.", "kind": "length"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["annotations", *map(str, arguments)])


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_check_tells_what_files_hold(tmp_path: Path):
    good = write(tmp_path / "good.jsonl", {"id": "a", "facts": [FACT]})
    done = run("validate", good)
    assert done.exit_code == 0, done.stderr
    assert "1 annotations (JSON Lines)" in done.stdout


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "these annotations give no perception reward"),
        ([{"id": "a", "facts": []}], "these annotations give no perception reward"),
        ([{"id": "a", "facts": [FACT]}, {"id": "a", "facts": [{"id": "f"}]}], "1 faults"),
    ],
)
def test_a_check_fails_where_a_service_would_reward_nothing(tmp_path: Path, rows: list[Any], words: str):
    done = run("validate", write(tmp_path / "bad.jsonl", *rows))
    assert done.exit_code == 1
    assert words in done.stderr


def test_an_import_without_a_fact_is_no_success_and_leaves_no_file(tmp_path: Path):
    for rows in ([], [{"id": "a", "logic_forms": []}], [{"id": "a", "logic_forms": ["Nonsense(("]}], [{"other": 1}]):
        source = write(tmp_path / "forms.jsonl", *rows)
        done = run("import-geometry3k", source, tmp_path / "out.jsonl")
        assert done.exit_code == 1, rows
        assert "no fact was imported" in done.stderr
        assert not (tmp_path / "out.jsonl").exists()


def test_distractors_are_added_to_annotations_in_any_form_and_words_and_told_by_kind(tmp_path: Path):
    facts = [FACT, {"id": "f2", "text": "There are three dogs."}]
    source = write(tmp_path / "in.jsonl", {"id": "a", "answer": "5", "facts": facts})
    assert run("export", source, tmp_path / "in.parquet").exit_code == 0
    told = [
        run("distractors", tmp_path / name, tmp_path / "out.jsonl", "--force") for name in ("in.jsonl", "in.parquet")
    ]
    assert [done.exit_code for done in told] == [0, 0], told[1].output
    assert told[0].stdout == told[1].stdout
    assert "1 annotations, 4 distractors; 0 annotations without any" in told[0].stdout
    assert "  length: 2" in told[0].stdout
    assert "  count: 2" in told[0].stdout
    again = run("distractors", tmp_path / "out.jsonl", tmp_path / "again.jsonl")
    assert "1 annotations, 0 distractors" in again.stdout


def test_a_faulty_annotation_is_told_with_its_line(tmp_path: Path):
    done = run("distractors", write(tmp_path / "in.jsonl", {"id": "p", "facts": [{"id": "f"}]}), tmp_path / "out.jsonl")
    assert done.exit_code == 1
    assert "in.jsonl line 1" in done.stderr


def test_distractors_of_nothing_are_no_success(tmp_path: Path):
    done = run("distractors", write(tmp_path / "empty.jsonl"), tmp_path / "out.jsonl")
    assert done.exit_code == 1
    assert "holds no annotation" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_a_validation_is_a_check_under_the_name_that_ci_knows(tmp_path: Path):
    assert run("validate", write(tmp_path / "good.jsonl", {"id": "a", "facts": [FACT]})).exit_code == 0
    assert run("validate", write(tmp_path / "bad.jsonl", {"id": "a", "facts": [{"id": "f"}]})).exit_code == 1


def test_a_difference_is_told_and_is_the_exit_status(tmp_path: Path, start_redis: Callable[..., Any]):
    one = write(tmp_path / "one.jsonl", {"id": "a", "facts": [FACT]})
    other = write(tmp_path / "other.json", [{"id": "a", "facts": [FACT | {"kind": "size"}]}])
    same = run("diff", one, one)
    assert (same.exit_code, "no difference" in same.stdout) == (0, True)
    differs = run("diff", one, other)
    assert (differs.exit_code, "1 facts changed in them: size 1" in differs.stdout) == (1, True)
    assert run("diff", one, start_redis().url).exit_code == 1
    wrong = run("diff", one, tmp_path / "none.jsonl")
    assert (wrong.exit_code, "none.jsonl" in wrong.stderr) == (2, True)


def test_stats_tell_kinds_and_the_facts_of_a_problem(tmp_path: Path):
    done = run("stats", write(tmp_path / "a.jsonl", {"id": "a", "facts": [FACT]}, {"id": "b"}))
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0,
        "facts of a problem: 0.5 in the mean, 0 in the middle, 1 at most",
    )


def test_stats_draw_a_picture_and_replace_none_unasked(tmp_path: Path):
    source, picture = write(tmp_path / "a.jsonl", {"id": "a", "facts": [FACT]}), tmp_path / "a.svg"
    assert run("stats", source, "--picture", picture).exit_code == 0
    assert picture.read_text().startswith("<svg")
    assert run("stats", source, "--picture", picture).exit_code == 2
    assert run("stats", source, "--picture", source, "--force").exit_code == 2

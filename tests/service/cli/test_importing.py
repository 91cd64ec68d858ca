"""`perception-reward annotations import`: what is written, what is said, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from perception_reward.annotations.importers.registry import IMPORTERS
from perception_reward.annotations.jsonl import read_annotations
from perception_reward.service.cli.main import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["annotations", "import", *map(str, arguments)])


def test_rows_become_annotations_and_refusals_are_told(tmp_path: Path):
    source, out, report = (tmp_path / name for name in ("rows.jsonl", "out.jsonl", "report.txt"))
    source.write_text(json.dumps({"uid": "a", "facts": ["AB = 5."]}) + "\n" + json.dumps({"uid": "b"}) + "\n")
    done = run("plain", source, out, "--map", "id=uid", "--report", report)
    assert done.exit_code == 0, done.stderr
    assert "2 rows: 1 annotations, 1 refused" in done.stdout
    assert "  1 has no facts (such as line 2)" in report.read_text()
    (annotation,) = read_annotations(out).values()
    assert annotation.id == "a"


def test_without_a_fact_nothing_is_written_and_the_reasons_are_told(tmp_path: Path):
    source, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": "a"}) + "\n")
    done = run("plain", source, out)
    assert done.exit_code == 1
    assert "1 has no facts" in done.stdout
    assert "no fact was imported" in done.stderr
    assert not out.exists()
    source.write_bytes(b"\x89PNG")
    assert "is an image" in run("plain", source, out).stderr


def test_layouts_and_columns_that_are_not_known_are_refused_with_those_that_are(tmp_path: Path):
    source, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    source.write_text("{}\n")
    wrong = run("cocoa", source, out)
    assert (wrong.exit_code, "known: propositions, formalgeo" in wrong.stderr) == (2, True)
    wrong = run("plain", source, out, "--map", "fact=x")
    assert (wrong.exit_code, "id, question, answer" in wrong.stderr) == (2, True)
    wrong = run("clevr", source, out, "--map", "id=x")
    assert (wrong.exit_code, "its layout has fixed names" in wrong.stderr) == (2, True)


def test_the_help_says_what_each_layout_reads():
    shown = " ".join(run("--help").stdout.replace("│", " ").split())
    assert all(f"{name}:" in shown for name in IMPORTERS)

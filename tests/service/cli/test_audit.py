"""`perception-reward audit`, with the judge that is always there."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.audit.figures import AuditReport
from perception_reward.service.cli.main import app


@pytest.fixture
def annotations() -> Path:
    with as_file(files("perception_reward.service.demo") / "annotations.jsonl") as path:
        return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", "--workers", "1", *arguments], env={"COLUMNS": "200"})


def test_an_audit_writes_its_report_and_prints_it(annotations: Path, tmp_path: Path):
    labelled = tmp_path / "labelled.jsonl"
    row = {"response": "AB = 5", "fact": "Segment AB has length 5.", "label": "stated"}
    labelled.write_text(json.dumps(row), encoding="utf-8")
    out = tmp_path / "out"
    options = ("--probes", "3", "--max-response-chars", "2000", "--labelled", str(labelled), "--out", str(out))
    done = run("--annotations", str(annotations), *options, "--fit")
    report = AuditReport.model_validate_json((out / "report.json").read_bytes())
    assert report.judge.name == "symbolic"
    assert report.probes["labelled"] == 1
    assert report.probes["repeat"] == 3
    assert {figures.family for figures in report.attacks} >= {"content-free", "misplaced value"}
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert "content-free" in done.stdout
    assert (out / "calibration.json").exists() == (done.exit_code == 0)


def test_a_family_can_be_asked_alone(annotations: Path, tmp_path: Path):
    done = run("--annotations", str(annotations), "--probes", "3", "--family", "judge format", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    report = AuditReport.model_validate_json((tmp_path / "report.json").read_bytes())
    assert report.probes == {"attack": 3}


@pytest.mark.parametrize(("profile", "succeed"), [("perception-r1", False), ("vtperception-r1", True)])
def test_what_copies_the_question_is_asked_about_facts_that_the_profile_pays_for(
    annotations: Path, tmp_path: Path, profile: str, succeed: bool
):
    options = ("--profile", profile, "--family", "the question repeated", "--probes", "200", "--out", str(tmp_path))
    done = run("--annotations", str(annotations), *options)
    assert done.exit_code == 0, done.output
    report = AuditReport.model_validate_json((tmp_path / "report.json").read_bytes())
    assert report.profile == profile
    assert report.attack is not None
    assert report.attack.tried == 200
    assert (report.attack.success.hits > 0) == succeed


def test_an_audit_of_nothing_says_what_to_give():
    done = run()
    assert done.exit_code == 2
    assert "--annotations, --labelled FILE or both" in done.stderr


def test_an_unknown_family_is_told_before_anything_is_asked(annotations: Path):
    done = run("--annotations", str(annotations), "--family", "x")
    assert done.exit_code == 2
    assert "no family is called 'x'; there are: plain" in done.stderr


def test_a_faulty_labelled_file_is_told_with_its_lines(tmp_path: Path):
    labelled = tmp_path / "labelled.jsonl"
    labelled.write_text('{"response": "a"}\n', encoding="utf-8")
    done = run("--labelled", str(labelled))
    assert done.exit_code == 2
    assert "labelled.jsonl line 1: give `fact` (one) or `facts` (several)" in done.stderr

"""No command that writes a file replaces what it reads, or anything else unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import app

FACTS = [{"id": "f1", "text": "Segment AB has length 5.", "kind": "length"}]
ANNOTATION = {"id": "p1", "question": "Find AC.", "answer": "13", "images": ["a.png"], "facts": FACTS}
ITEM = {"id": "r", "facts": FACTS, "response": "AB = 5", "answer": "5"}
FORMS = {"id": "geo-1", "logic_forms": ["Equals(LengthOf(Line(A, B)), 5)"]}
RESULT = {
    "id": "r", "status": "ok", "score": 1.0, "reason": None,
    "components": {"format": 1.0, "accuracy": 1.0, "perception": 1.0, "repetition": 0.0},
    "facts": [{"id": "f1", "verdict": "stated", "probability": 1.0, "span": None}],
}  # fmt: skip

# Each command with {input}, all that it reads, and {out}, what it writes.
COMMANDS = {
    "score": ("items", "score {input} {out} --workers 1"),
    "agree": ("results", "agree {input} {input} --disagreements {out} --workers 1"),
    "dataset": ("annotations", "dataset slime {input} {out}"),
    "distractors": ("annotations", "annotations distractors {input} {out}"),
    "import": ("forms", "annotations import-geometry3k {input} {out}"),
    "import's report": ("forms", "annotations import-geometry3k {input} {folder}/fresh.jsonl --report {out} --force"),
}
CONTENTS = {"items": ITEM, "results": RESULT, "annotations": ANNOTATION, "forms": FORMS}


def run(command: str, folder: Path, source: Path, out: Path) -> Result:
    words = [word.format(input=source, out=out, folder=folder) for word in command.split()]
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_input_is_never_replaced(tmp_path: Path, name: str):
    kind, command = COMMANDS[name]
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(CONTENTS[kind]) + "\n", encoding="utf-8")
    before = source.read_bytes()
    (tmp_path / "hard.jsonl").hardlink_to(source)
    for out in (source, tmp_path / "hard.jsonl", tmp_path / ".." / tmp_path.name / "in.jsonl"):
        done = run(command.replace(" --force", "") + " --force", tmp_path, source, out)
        assert done.exit_code == 2, (done.stdout, done.stderr)
        assert "which is read; name another file" in done.stderr
        assert source.read_bytes() == before


@pytest.mark.parametrize("name", [name for name in COMMANDS if not name.endswith("report")])
def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path: Path, name: str):
    kind, command = COMMANDS[name]
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps(CONTENTS[kind]) + "\n", encoding="utf-8")
    out.write_text("precious", encoding="utf-8")
    done = run(command, tmp_path, source, out)
    assert done.exit_code == 2, (done.stdout, done.stderr)
    assert "out.jsonl exists; name another file, or pass --force to replace it" in done.stderr
    assert out.read_text(encoding="utf-8") == "precious"
    done = run(command + " --force", tmp_path, source, out)
    assert done.exit_code == 0, (done.stdout, done.stderr)
    assert out.read_text(encoding="utf-8") != "precious"


def test_an_audit_replaces_neither_another_one_nor_what_it_reads(tmp_path: Path):
    source, out = tmp_path / "annotations.jsonl", tmp_path / "audit"
    source.write_text(json.dumps(ANNOTATION) + "\n", encoding="utf-8")
    command = "audit --annotations {input} --out {out} --probes 1 --family plain --workers 1"
    assert run(command, tmp_path, source, out).exit_code == 0
    before = (out / "report.json").read_bytes()
    done = run(command, tmp_path, source, out)
    assert done.exit_code == 2
    assert "report.json exists" in done.stderr
    assert (out / "report.json").read_bytes() == before
    assert run(command + " --force", tmp_path, source, out).exit_code == 0
    calibration = out / "calibration.json"
    calibration.write_text("{}", encoding="utf-8")
    done = run(command + f" --fit --force --judge-calibration {calibration}", tmp_path, source, out)
    assert done.exit_code == 2
    assert "which is read" in done.stderr

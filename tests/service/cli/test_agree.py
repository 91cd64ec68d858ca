"""`perception-reward agree`, with judges and with files of results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import app

FACTS = [
    {"id": "f1", "text": "Segment AB has length 5.", "kind": "length"},
    {"id": "f2", "text": "Angle ABC measures 90 degrees.", "kind": "angle"},
]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["agree", *arguments, "--workers", "1"], env={"COLUMNS": "200"})


@pytest.fixture
def items(tmp_path: Path) -> Path:
    rows = [
        {"id": "r1", "response": "AB = 5 and ∠ABC = 90°.", "facts": FACTS},
        {"id": "r2", "response": "AB = 7.", "facts": FACTS},
    ]
    return write(tmp_path / "items.jsonl", rows)


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def results(path: Path, *verdicts: list[str] | None) -> Path:
    rows: list[dict[str, Any]] = []
    for number, labels in enumerate(verdicts, start=1):
        facts = [
            {"id": fact["id"], "verdict": label, "probability": 0.9 if label == "stated" else 0.1, "span": None}
            for fact, label in zip(FACTS, labels or [], strict=False)
        ]
        rows.append(
            {
                "id": f"r{number}",
                "status": "ok" if labels else "missing",
                "score": 0.0 if labels else None,
                "components": {"format": 0, "accuracy": None, "perception": None, "repetition": 0},
                "facts": facts or None,
                "reason": None if labels else "judge_timeout",
            }
        )
    return write(path, rows)


def test_a_judge_is_compared_with_saved_results(items: Path, tmp_path: Path):
    saved = results(tmp_path / "saved.jsonl", ["stated", "stated"], ["absent", "absent"])
    listed = tmp_path / "differing.jsonl"
    done = run("symbolic", str(saved), "--items", str(items), "--disagreements", str(listed))
    assert done.exit_code == 0, done.output
    assert "2 items, 4 facts" in done.output
    assert "agreement 0.750" in done.output
    (row,) = [json.loads(line) for line in listed.read_text(encoding="utf-8").splitlines()]
    assert (row["item"], row["fact"], row["kind"]) == ("r2", "Segment AB has length 5.", "length")
    assert (row["one"]["verdict"], row["other"]["verdict"], row["response"]) == ("contradicted", "absent", "AB = 7.")


def test_two_files_of_results_need_no_rollouts(tmp_path: Path):
    one = results(tmp_path / "one.jsonl", ["stated", "absent"], None)
    other = results(tmp_path / "other.jsonl", ["stated", "stated"], ["absent", "absent"])
    done = run(str(one), str(other))
    assert done.exit_code == 0, done.output
    assert "2 facts with a verdict of both; 2 with a missing verdict" in done.output
    assert "agreement 0.500" in done.output


def test_facts_of_annotations_are_read_from_the_store(tmp_path: Path):
    stored = write(tmp_path / "annotations.jsonl", [{"id": "p", "facts": FACTS}])
    items = write(tmp_path / "items.jsonl", [{"id": "r1", "response": "AB = 5.", "annotation_id": "p"}])
    saved = results(tmp_path / "saved.jsonl", ["stated", "absent"])
    done = run("symbolic", str(saved), "--items", str(items), "--annotations", str(stored))
    assert done.exit_code == 0, done.output
    assert "agreement 1.000" in done.output


def test_a_judge_without_rollouts_is_refused(tmp_path: Path):
    done = run("symbolic", "no-such-file.jsonl")
    assert done.exit_code == 2
    assert "--items" in done.stderr


def test_results_of_other_rollouts_are_refused(tmp_path: Path):
    one = results(tmp_path / "one.jsonl", ["stated", "absent"])
    other = results(tmp_path / "other.jsonl", ["stated", "absent"], ["stated", "absent"])
    done = run(str(one), str(other))
    assert done.exit_code == 2
    assert "1 and 2 results" in done.stderr


def test_a_file_of_something_else_is_refused_with_its_line(tmp_path: Path, items: Path):
    one = results(tmp_path / "one.jsonl", ["stated", "absent"])
    done = run(str(one), str(items))
    assert done.exit_code == 2
    assert "items.jsonl line 1" in done.stderr


def test_an_unknown_judge_is_refused(items: Path):
    done = run("oracle", "symbolic", "--items", str(items))
    assert done.exit_code == 2
    assert "oracle" in done.stderr


def test_a_comparison_fits_80_columns(tmp_path: Path):
    long_text = "The table has three rows of fruit, and each of them has a price per kilogram in a currency. " * 2
    rows = [["stated", "absent"]] * 40
    one = results(tmp_path / "one.jsonl", *rows)
    other = results(tmp_path / "other.jsonl", *[["contradicted", "absent"]] * 40)
    items = tmp_path / "items.jsonl"
    facts = [{"id": f"f{n}", "text": long_text, "kind": "perpendicular"} for n in (1, 2)]
    row = {"id": "a-rather-long-name-of-a-rollout", "facts": facts, "response": "Word after word. " * 100}
    items.write_text("".join(json.dumps(row) + "\n" for _ in range(40)), encoding="utf-8")
    done = CliRunner().invoke(app, ["agree", str(one), str(other), "--items", str(items)], env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    shown = [line.replace(str(tmp_path), "") for line in done.stdout.splitlines()]
    assert max(map(len, shown)) <= 80
    assert len(shown) < 120
    assert sum("perpendicular" in line for line in shown) == 1, "a kind is one line"

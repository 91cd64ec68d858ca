"""`perception-reward report`: what it takes, and what it refuses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import app

FACT = {"id": "f1", "text": "Segment AB has length 5."}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, arguments)], env={"COLUMNS": "80"})


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Rollouts, and results for them that hold no texts."""
    rollouts, results = tmp_path / "rollouts.jsonl", tmp_path / "results.jsonl"
    items = [
        {"id": f"r-{n}", "group": f"g{n // 2}", "response": f"AB = {5 + n % 2}", "facts": [FACT], "answer": "5"}
        for n in range(8)
    ]
    rollouts.write_text("".join(json.dumps(one) + "\n" for one in items), encoding="utf-8")
    scored = [
        {
            "id": one["id"],
            "status": "ok",
            "score": 1.7 if n % 2 else 0.1,
            "components": {"format": 1.0, "accuracy": n % 2, "perception": n % 2, "repetition": 0.0},
            "facts": [{"id": "f1", "verdict": "stated", "probability": 0.9, "span": [0, 6]}],
            "reason": None,
        }
        for n, one in enumerate(items)
    ]
    results.write_text("".join(json.dumps(one) + "\n" for one in scored), encoding="utf-8")
    return rollouts, results


def test_a_report_has_the_texts_of_the_rollouts_and_the_groups(files: tuple[Path, Path], tmp_path: Path):
    rollouts, results = files
    done = run(f"tuned={results}", "--rollouts", rollouts, "-o", tmp_path / "out.html")
    assert done.exit_code == 0, done.stderr
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    for part in ("Rewards of tuned", "AB = 5", FACT["text"], "4 of 4 groups with spread"):
        assert part in page


def test_a_folder_of_packed_results_is_one_run_and_links_name_its_files(files: tuple[Path, Path], tmp_path: Path):
    _, results = files
    lines = results.read_bytes().splitlines(keepends=True)
    folder = tmp_path / "step-1"
    folder.mkdir()
    (folder / "1.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:3])))
    (folder / "2.jsonl").write_bytes(b"".join(lines[3:]))
    (folder / "2.jsonl.missing.jsonl").write_text('{"line": 1}\n', encoding="utf-8")
    done = run(folder, "--rollouts", f"{tmp_path}/roll*", "-o", tmp_path / "out.html")
    assert done.exit_code == 0, done.stderr
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    for part in ("Rewards of step-1", "AB = 5", "8 rollouts", "4 of 4 groups with spread", "2.jsonl:5"):
        assert part in page


def test_two_runs_are_compared(files: tuple[Path, Path], tmp_path: Path):
    pytest.importorskip("statsmodels")
    _, results = files
    done = run(f"a={results}", f"b={results}", "-o", tmp_path / "out.html")
    assert done.exit_code == 0, done.stderr
    assert "8 problems in both, by id" in (tmp_path / "out.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing.jsonl",), "nothing.jsonl: No such file or directory"),
        (("{results}", "--profile", "mine"), "no profile is called 'mine'"),
        (("{rollouts}",), "rollouts.jsonl line 1: is no result of `perception-reward score`"),
        (("{results}", "-o", "{results}"), "would replace"),
        (("{results}", "--rollouts", "{rollouts}", "--rollouts", "{rollouts}"), "2 files for 1 of results"),
    ],
)
def test_what_cannot_be_reported_is_told_in_a_line(
    files: tuple[Path, Path], tmp_path: Path, arguments: tuple[str, ...], message: str
):
    named = {"rollouts": str(files[0]), "results": str(files[1])}
    out = () if "-o" in arguments else ("-o", tmp_path / "out.html")
    done = run(*(one.format(**named) for one in arguments), *out)
    assert done.exit_code == 2
    assert message in done.stderr.replace("\n", " ")

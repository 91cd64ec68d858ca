"""`perception-reward compare`: what it prints, as text and as JSON, and what it refuses."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

pytest.importorskip("scipy")
pytest.importorskip("statsmodels")

from perception_reward.service.audit.figures import AuditReport, ClassFigures, Estimate, Judge, Proportion, Quality
from perception_reward.service.cli.main import app

NOT = Estimate(value=None)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], env={"COLUMNS": "80"})


def written(path: Path, accuracies: list[float], stated: int = 1) -> Path:
    facts = [
        {"id": f"f{n}", "verdict": "stated" if n < stated else "absent", "probability": 0.5, "span": None}
        for n in range(2)
    ]
    rows = [
        {
            "id": f"p{n}",
            "status": "ok",
            "score": accuracy,
            "components": {"format": 1.0, "accuracy": accuracy, "perception": stated / 2, "repetition": 0.0},
            "facts": facts if n % 5 else facts[:1],
            "reason": None,
        }
        for n, accuracy in enumerate(accuracies)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    before = written(tmp_path / "before.jsonl", [1.0] * 12 + [0.0] * 20)
    return before, written(tmp_path / "after.jsonl", [0.0] * 2 + [1.0] * 20 + [0.0] * 10)


def test_a_change_is_shown_with_its_tests_and_the_lines_that_changed(files: tuple[Path, Path]):
    done = run(*files)
    assert done.exit_code == 0, done.stderr
    for part in ("0.039", "0.022", "+25.0 (", "32 problems in both, by id", "answer gained: 10 problems"):
        assert part in done.stdout
    assert "…" not in done.stdout
    assert f"p12  {files[0]}:13 → {files[1]}:13" in done.stdout


def test_programs_get_all_of_it_as_json(files: tuple[Path, Path]):
    found = json.loads(run(*files, "--json", "--plan").stdout)
    (benchmark,) = found["benchmarks"]
    answer = next(one for one in benchmark["right"] if one["kind"] == "answer")
    assert (answer["gained"], answer["lost"], answer["p_exact"]) == (10, 2, pytest.approx(0.03857421875))
    assert answer["lost_problems"][0]["before"] == [{"file": str(files[0]), "lines": [1]}]
    assert benchmark["plan"][-1]["needed"] > 20


def test_shares_are_corrected_for_what_an_audit_knows_of_the_judge(files: tuple[Path, Path], tmp_path: Path):
    share = Proportion(value=0.9, hits=180, total=200)
    stated = ClassFigures(label="stated", recall=share, precision=share, specificity=share)
    quality = Quality(
        asked=400, missing={}, problems=40, accuracy=share, classes=[stated], kappa=NOT, mcc=NOT, auc=NOT, brier=NOT,
        ece=NOT, confusion={}, reliability=[], kinds=[], families=[],
    )  # fmt: skip
    judge = Judge(name="j", model=None, method="m", fingerprint="f")
    audit = AuditReport(
        created=datetime(2026, 1, 1, tzinfo=timezone.utc), seed=0, versions={}, judge=judge, verdict="good", reasons=[],
        probes={}, labelled=quality, generated=None, repeats=None, flips=[], attacks=[], attack=None, refusals=None,
        cases=[],
    )  # fmt: skip
    path = tmp_path / "report.json"
    path.write_text(audit.model_dump_json(), encoding="utf-8")
    (benchmark,) = json.loads(run(*files, "--audit", path, "--json").stdout)["benchmarks"]
    fixed = benchmark["corrected"]
    assert fixed["corrected_before"][0] == pytest.approx((fixed["before"] - 0.1) / 0.8)
    assert "without the judge's errors (sensitivity 0.900" in run(*files, "--audit", path).stdout


def test_planning_needs_no_files():
    done = run("--plan", "--gained", "0.1", "--lost", "0.04")
    assert done.exit_code == 0, done.stderr
    assert "takes 295 problems for a power of 0.8" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name two files of results, BEFORE and AFTER; or --plan with --gained and --lost"),
        (("--plan", "--gained", "0.1"), "--gained and --lost go together"),
        (("--plan", "--gained", "0.9", "--lost", "0.9"), "have to lie in [0, 1], together too"),
        (("--perception-right", "most"), "--perception-right is a number or 'uncontradicted', and not 'most'"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(arguments: tuple[str, ...], message: str):
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr.replace("\n", " ")


def test_a_file_that_holds_no_results_is_told_with_its_line(files: tuple[Path, Path], tmp_path: Path):
    other = tmp_path / "rollouts.jsonl"
    other.write_text('{"response": "x"}\n', encoding="utf-8")
    done = run(files[0], other)
    assert done.exit_code == 2
    assert "rollouts.jsonl line 1: is no result" in done.stderr


def test_folders_are_compared_whatever_their_files_are_packed_with(files: tuple[Path, Path], tmp_path: Path):
    lines = files[0].read_bytes().splitlines(keepends=True)
    folder = tmp_path / "before"
    folder.mkdir()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:10])))
    (folder / "b.jsonl").write_bytes(b"".join(lines[10:]))
    done = run(folder, f"{tmp_path}/aft*.jsonl")
    assert done.exit_code == 0, done.stderr
    assert "0.039" in done.stdout
    assert f"p12  {folder}/b.jsonl:3 → {files[1]}:13" in done.stdout

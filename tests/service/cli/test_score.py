"""`perception-reward score`: what it reads, what it writes, and what it says at the end."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.batch import files
from perception_reward.service.batch.results import read_results
from perception_reward.service.cli.main import app

FACTS = [{"id": "f1", "text": "Segment AB has length 5."}]
ROWS: list[dict[str, Any]] = [
    {"id": f"r-{n}", "facts": FACTS, "response": f"AB = {5 + n % 2}", "answer": "5", "model": "mine"} for n in range(4)
]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["score", *map(str, arguments), "--workers", "1"], env={"COLUMNS": "80"})


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def results(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def as_array(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=1), encoding="utf-8")


def as_csv(path: Path) -> None:
    with path.open("w", encoding="utf-16", newline="") as out:
        writer = csv.DictWriter(out, list(ROWS[0]))
        writer.writeheader()
        writer.writerows({**row, "facts": json.dumps(row["facts"])} for row in ROWS)


def as_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


@pytest.mark.parametrize("write", [as_array, as_csv, as_parquet])
def test_rollouts_of_every_form_are_scored_and_their_other_fields_carried(tmp_path: Path, write: Any):
    write(tmp_path / "rollouts")
    done = run(tmp_path / "rollouts", tmp_path / "results.jsonl")
    assert done.exit_code == 0, done.stderr
    found = results(tmp_path / "results.jsonl")
    assert [(one["id"], one["components"]["perception"], one["extra"]) for one in found] == [
        (row["id"], float(row["response"] == "AB = 5"), {"model": "mine"}) for row in ROWS
    ]
    assert "carried to the results, as `extra`: model" in done.stderr


def test_the_end_tells_the_means_and_what_is_missing_and_why(tmp_path: Path):
    lost = [{"id": "lost", "annotation_id": "no-such", "response": "AB = 5", "answer": "5"}]
    items = lines(tmp_path / "items.jsonl", ROWS + lost)
    done = run(items, tmp_path / "results.jsonl")
    assert done.exit_code == 0
    told = " ".join(done.stderr.split())
    assert "perception 0.500 4 1" in told
    assert "unknown_annotation 1 --annotations names the files" in told
    assert "5 items scored to" in told
    assert max(map(len, done.stderr.replace(str(tmp_path), "").splitlines())) <= 80


CLOSED = "AB = 5.\n</think>\n<answer>\\boxed{13}</answer>"


def test_a_thought_that_the_prompt_opened_counts_as_opened(tmp_path: Path):
    items = lines(tmp_path / "items.jsonl", [{"response": CLOSED}, {"response": CLOSED, "prompt": "AC?\n<think>\n"}])
    assert run(items, tmp_path / "a.jsonl").exit_code == 0
    assert [one["components"]["format"] for one in results(tmp_path / "a.jsonl")] == [0.0, 1.0]
    assert run(items, tmp_path / "b.jsonl", "--prefix", "<think>").exit_code == 0
    assert [one["components"]["format"] for one in results(tmp_path / "b.jsonl")] == [1.0, 1.0]
    wrong = run(items, tmp_path / "c.jsonl", "--prefix", "think")
    assert wrong.exit_code == 2
    assert "--prefix 'think' opens no thought" in wrong.stderr


def test_a_run_that_never_opens_its_thoughts_is_told_so(tmp_path: Path):
    items = lines(tmp_path / "items.jsonl", [{"response": CLOSED}] * 16)
    assert "close a thought that they never opened" in run(items, tmp_path / "a.jsonl").stderr


def test_a_file_whose_scores_are_all_missing_is_no_success(tmp_path: Path):
    items = lines(tmp_path / "items.jsonl", [{"annotation_id": "no-such", "response": "AB = 5"}])
    done = run(items, tmp_path / "results.jsonl")
    assert done.exit_code == 3
    assert "every score is missing" in done.stderr
    assert results(tmp_path / "results.jsonl")[0]["reason"] == "unknown_annotation"


def test_a_misspelt_field_is_told_before_anything_is_scored(tmp_path: Path):
    items = lines(tmp_path / "items.jsonl", [{"anotation_id": "a", "response": "AB = 5", "answer": "5"}])
    done = run(items, tmp_path / "results.jsonl")
    assert "'anotation_id' (1 of 1 items) is not read; did you mean 'annotation_id'?" in done.stderr
    assert "none of the items names facts" in done.stderr


def test_rollouts_are_not_replaced_by_their_results(tmp_path: Path):
    items = lines(tmp_path / "items.jsonl", ROWS)
    before = items.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(items)
    for out in (items, tmp_path / "link.jsonl", tmp_path / "." / "items.jsonl"):
        done = run(items, out, "--force")
        assert done.exit_code == 2
        assert "which is read; name another file" in done.stderr
    assert items.read_bytes() == before


def test_results_that_are_there_are_replaced_only_by_force(tmp_path: Path):
    items, out = lines(tmp_path / "items.jsonl", ROWS), tmp_path / "results.jsonl"
    out.write_text("precious", encoding="utf-8")
    done = run(items, out)
    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert out.read_text(encoding="utf-8") == "precious"
    assert run(items, out, "--force").exit_code == 0
    assert len(results(out)) == 4


def test_a_name_that_promises_another_form_is_refused(tmp_path: Path):
    done = run(lines(tmp_path / "items.jsonl", ROWS), tmp_path / "results.csv")
    assert done.exit_code == 2
    assert "results.csv: what is written is JSON Lines, not CSV" in done.stderr


def test_results_are_written_as_a_table(tmp_path: Path):
    items = lines(tmp_path / "items.jsonl", ROWS)
    assert run(items, tmp_path / "results.parquet").exit_code == 0
    assert run(items, tmp_path / "results.jsonl.zst").exit_code == 0
    table = list(read_results(tmp_path / "results.parquet"))
    assert table == list(read_results(tmp_path / "results.jsonl.zst"))
    assert [one.extra for one in table] == [{"model": "mine"}] * 4


def test_several_files_and_layouts_are_one_job(tmp_path: Path):
    (tmp_path / "dumps").mkdir()
    for step in (2, 10):
        row = {"input": "AB?", "output": "AB = \\boxed{5}", "gts": "5", "score": 1.0, "step": step}
        lines(tmp_path / "dumps" / f"{step}.jsonl", [row])
    out = tmp_path / "results.jsonl"
    done = run(lines(tmp_path / "items.jsonl", ROWS), tmp_path / "dumps", out)
    assert done.exit_code == 0, done.stderr
    assert "verl: response from output, answer from gts, step, prompt from input (2 files)" in done.stderr
    found = results(out)
    assert [(one["id"], one["components"]["accuracy"], one.get("step")) for one in found[4:]] == [
        (None, 1.0, 2),
        (None, 1.0, 10),
    ]
    assert found[4]["group"] == found[5]["group"] != found[0].get("group")


def test_a_part_of_the_rollouts_is_scored(tmp_path: Path):
    items = lines(tmp_path / "items.jsonl", ROWS)
    done = run(items, tmp_path / "o.jsonl", "--where", "id!=r-0", "--sample", "2", "--limit", "1", "--seed", "3")
    assert done.exit_code == 0, done.stderr
    assert {one["id"] for one in results(tmp_path / "o.jsonl")} < {"r-1", "r-2", "r-3"}
    wrong = run(items, tmp_path / "x.jsonl", "--where", "id")
    assert wrong.exit_code == 2
    assert "'id' is not COLUMN=VALUE" in wrong.stderr


def test_the_words_that_carry_a_fact_are_written_and_why(tmp_path: Path):
    items = lines(tmp_path / "items.jsonl", ROWS[:1])
    assert run(items, tmp_path / "o.jsonl", "--explain").exit_code == 0
    (found,) = results(tmp_path / "o.jsonl")
    trace = found["explained"]["facts"][0].pop("trace")
    assert trace["stage"] == "rules"
    assert trace["sentences"] == ["AB = 5"]
    assert trace["reason"]
    assert found["explained"] == {
        "response": "AB = 5",
        "answer": "5",
        "annotation_id": None,
        "facts": [{"id": "f1", "text": "Segment AB has length 5.", "verdict": "stated", "words": "AB = 5"}],
    }


def test_a_record_that_cannot_be_read_behind_the_survey_ends_the_job_as_one_before_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(files, "SURVEYED", 2)
    items, out = lines(tmp_path / "items.jsonl", [*ROWS, {"id": "bad"}, *ROWS]), tmp_path / "o.jsonl"
    done = run(items, out)
    assert done.exit_code == 2
    assert "items.jsonl line 5: response: there is none" in done.stderr
    assert "pass --skip-bad to go on without it" in " ".join(done.stderr.split())
    assert not out.exists()
    done = run(items, out, "--skip-bad")
    assert done.exit_code == 0, done.stderr
    assert "8 results are there from an earlier run" in done.stderr
    assert [one["id"] for one in results(out)] == [row["id"] for row in (*ROWS, *ROWS)]
    assert "1 records could not be read" in " ".join(done.stderr.split())


def many(count: int) -> list[dict[str, str]]:
    return [{"id": f"r-{n}", "response": f"{n} " * 400 + f"\\boxed{{{n % 3}}}", "answer": "1"} for n in range(count)]


MANY = many(3000)


def test_a_job_that_is_killed_goes_on_and_its_results_are_those_of_an_unbroken_one(tmp_path: Path):
    items, out = lines(tmp_path / "items.jsonl", MANY), tmp_path / "results.jsonl"
    command = [sys.executable, "-m", "perception_reward.service.cli", "score", str(items), str(out), "--workers", "1"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    journal = tmp_path / "results.jsonl.journal"
    while not (journal.exists() and json.loads(journal.read_text(encoding="utf-8"))["done"]["records"]):
        assert process.poll() is None, "it was killed too late"
    process.kill()
    process.wait()
    assert not out.exists()
    done = run(items, out)
    assert done.exit_code == 0, done.stderr
    assert "results are there from an earlier run" in done.stderr
    assert run(items, tmp_path / "unbroken.jsonl").exit_code == 0
    assert out.read_bytes() == (tmp_path / "unbroken.jsonl").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items.jsonl", "results.jsonl", "unbroken.jsonl"]


def test_a_job_that_is_stopped_keeps_what_it_has_and_goes_on_with_the_same_command_alone(tmp_path: Path):
    # So many that what is under way when it is told to stop is not all.
    items, out = lines(tmp_path / "items.jsonl", many(15_000)), tmp_path / "results.jsonl"
    command = [sys.executable, "-m", "perception_reward.service.cli", "score", str(items), str(out), "--workers", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    journal = tmp_path / "results.jsonl.journal"
    while not (journal.exists() and json.loads(journal.read_text(encoding="utf-8"))["done"]["records"]):
        assert process.poll() is None, "it was stopped too late"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130, told
    assert "the same command goes on from there" in told
    other = run(items, out, "--step", "3")
    assert other.exit_code == 1
    assert "was begun with another --step" in other.stderr


@pytest.mark.parametrize("name", ["results.jsonl.gz", "results.parquet"])
def test_missing_rows_alone_are_asked_again_and_take_their_places(tmp_path: Path, name: str):
    rows = [{"id": f"r-{n}", "response": "AB = 5", "answer": "5", "prompt": f"{n}?"} for n in range(4)]
    for row in rows[1::2]:
        row["annotation_id"] = "late"
    items, out = lines(tmp_path / "items.jsonl", [*rows, {"id": "bad"}]), tmp_path / name
    assert run(items, out, "--skip-bad").exit_code == 0
    before = list(read_results(out))
    assert [one.reason for one in before] == [None, "unknown_annotation"] * 2
    side = tmp_path / f"{name}.missing.jsonl"
    assert [row["reason"] for row in results(side)] == ["unknown_annotation"] * 2 + ["unreadable"]
    assert results(side)[2]["message"].startswith("items.jsonl line 5: response: there is none")
    stored = lines(tmp_path / "a.jsonl", [{"id": "late", "facts": FACTS}])
    items.unlink()
    done = run(items, out, "--retry-missing", "--annotations", stored)
    assert done.exit_code == 0, done.stderr
    assert "2 missing rows have a score now; others are missing still" in " ".join(done.stderr.split())
    after = list(read_results(out))
    assert after[::2] == before[::2]
    assert [(one.id, one.status, one.components["perception"], one.group, one.extra) for one in after[1::2]] == [
        (one.id, "ok", 1.0, one.group, one.extra) for one in before[1::2]
    ]
    assert [row["reason"] for row in results(side)] == ["unreadable"]
    assert "nothing that could be asked again" in " ".join(run(items, out, "--retry-missing").stderr.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", name, side.name]

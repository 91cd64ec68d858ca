"""`perception-reward check`, as a command of its own: in a trainer's environment it has the client's packages alone."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# What the base install does not have.
ABSENT = ("typer", "fastapi", "pydantic_settings", "redis", "transformers")


def run(*arguments: str, bare: bool = False, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Exit status, what was said, and what was wrong. bare: where only the client is installed."""
    hide = "".join(f"sys.modules[{name!r}] = None; " for name in ABSENT) if bare else ""
    program = f"import sys; {hide}from perception_reward.service.cli import run; sys.exit(run())"
    command = [sys.executable, "-c", program, "check", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=100, env=os.environ | (environment or {}), check=False
    )
    return done.returncode, done.stdout, done.stderr


def lines(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize("bare", [False, True], ids=["with the service", "the client alone"])
def test_a_service_that_can_be_used_is_told_with_its_state(served: str, bare: bool) -> None:
    status, said, wrong = run("--url", served, bare=bare)
    assert (status, wrong) == (0, "")
    assert said.startswith(f"{served}: can be used; profile: perception-r1; annotations: ")


def test_what_is_not_given_comes_from_the_environment(served: str) -> None:
    environment = {"PERCEPTION_REWARD_URL": served, "PERCEPTION_REWARD_PROFILE": "sum"}
    status, said, _ = run(environment=environment)
    assert status == 0
    assert "profile: sum" in said


@pytest.mark.parametrize("bare", [False, True], ids=["with the service", "the client alone"])
def test_a_service_that_cannot_be_used_is_one_line_and_status_1(served: str, bare: bool) -> None:
    for arguments, told in (
        (("--url", "http://127.0.0.1:9", "--wait", "0"), "Connection refused"),
        (("--url", served, "--profile", "nobody's"), "perception-r1, "),
        (("--url", f"{served}/docs"), "no perception-reward service"),
    ):
        status, said, wrong = run(*arguments, bare=bare)
        assert (status, said, wrong.count("\n")) == (1, "", 1)
        assert wrong.startswith("error: ")
        assert told in wrong


def test_a_wrong_key_is_told(start_process: Callable[..., Any]) -> None:
    url = start_process("--workers", "1", environment={"api_key": "s3cret"}).url
    status, _, wrong = run("--url", url, "--api-key", "another")
    assert status == 1
    assert "does not accept this client's API key" in wrong
    assert run("--url", url, "--api-key", "s3cret")[0] == 0


@pytest.mark.parametrize(
    "arguments", [("--url", "rewards:8420"), ("--dataset", "no-such-file.jsonl"), ("--no-such-option",)]
)
def test_what_cannot_be_checked_is_status_2(served: str, arguments: tuple[str, ...]) -> None:
    status, said, wrong = run(*(("--url", served) if "--url" not in arguments else ()), *arguments)
    assert (status, said) == (2, "")
    assert wrong


def test_annotations_that_the_service_lacks_are_listed(served: str, tmp_path: Path) -> None:
    rows = [{"prompt": "?", "annotation_id": f"geo/{number}"} for number in range(50)]
    data = lines(tmp_path / "train.jsonl", {"prompt": "?", "annotation_id": "triangle/1"}, *rows)
    status, said, wrong = run("--url", served, "--dataset", data)
    assert status == 1
    assert f"{data}: 51 rows, which name 51 annotations" in said
    assert "the service lacks 50 of 51 annotations: 'geo/0', " in wrong
    assert "'geo/19', …" in wrong
    assert "'geo/20'" not in wrong


@pytest.mark.parametrize(
    "row",
    [
        {"annotation_id": "triangle/1"},
        {"extra_info": {"annotation_id": "triangle/1", "index": 3}, "reward_model": {"ground_truth": "13"}},
        {"label": json.dumps({"annotation_id": "triangle/1", "answer": "13"})},
        {"verifier_metadata": {"annotation_id": "triangle/1"}},
    ],
)
def test_the_rows_of_every_trainer_are_read(served: str, tmp_path: Path, row: dict[str, Any]) -> None:
    status, said, wrong = run("--url", served, "--dataset", lines(tmp_path / "rows.jsonl", row))
    assert (status, wrong) == (0, "")
    assert "1 rows, which name 1 annotations\n" in said


def test_a_file_of_annotations_is_compared_with_those_of_the_service(served: str, tmp_path: Path) -> None:
    facts = [{"id": "f1", "text": "AB = 5."}]
    path = lines(tmp_path / "new.jsonl", {"id": "triangle/1", "facts": facts}, {"id": "triangle/2", "facts": facts})
    status, _, wrong = run("--url", served, "--annotations", path)
    assert status == 1
    assert "lacks 1 of 2 annotations: 'triangle/2'" in wrong


def test_a_table_is_read_and_a_misspelt_column_told(served: str, tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["problem_id", "answer"], ["triangle/1", "13"]])
    status, said, wrong = run("--url", served, "--dataset", str(path))
    assert status == 1
    assert "1 rows without facts" in said
    assert "they have answer, problem_id. Did you mean: problem_id -> annotation_id?" in wrong


def test_all_options_are_in_the_help() -> None:
    status, said, _ = run("--help")
    assert status == 0
    for option in ("--url", "--api-key", "--profile", "--ca-file", "--wait", "--annotations", "--dataset"):
        assert option in said

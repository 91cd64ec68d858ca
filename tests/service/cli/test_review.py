"""`annotations review` and `annotations sample` as commands."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from perception_reward.annotations.decisions import Decision, Decisions
from perception_reward.annotations.jsonl import read_annotations
from perception_reward.service.cli.main import app


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "problems.jsonl"
    lines = [
        {"id": f"p{n}", "facts": [{"id": "f", "text": f"AB is {n}.", "kind": "length" if n % 2 else "angle"}]}
        for n in range(20)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def decide(path: Path, reviewer: str, **words: str) -> None:
    decisions = Decisions(path)
    for name, word in words.items():
        text = f"AB is {name[1:]}."
        edited = {"edited": "AB is 99."} if word == "edit" else {}
        made = {"annotation": name, "fact": "f", "text": text, "decision": word, "reviewer": reviewer, **edited}
        decisions.put(Decision.model_validate(made))


def run(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["annotations", *map(str, arguments)])
    return found.exit_code, found.output


def test_review_serves_on_loopback_keeps_decisions_and_tells_figures_at_the_end(store: Path):
    command = [
        sys.executable,
        "-m",
        "perception_reward.service.cli",
        "annotations",
        "review",
        str(store),
        "--port",
        "0",
    ]
    with subprocess.Popen([*command, "--reviewer", "ann"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.match(r"(http://127\.0\.0\.1:\d+)/  20 facts for ann", process.stdout.readline())
        assert found is not None
        made = {"annotation": "p3", "fact": "f", "text": "AB is 3.", "decision": "accept"}
        httpx.post(f"{found[1]}/decisions", json=made, timeout=60).raise_for_status()
        process.send_signal(signal.SIGINT)
        told = process.stdout.read()
        assert process.wait(60) == 0
    assert told.startswith("ann: 1 of 20 facts reviewed, 100.0 % ")
    assert ("p3", "f") in Decisions(store.with_name("problems.review.jsonl")).of("ann")


def test_the_report_reads_several_files_and_compares_reviewers(store: Path, tmp_path: Path):
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    decide(one, "ann", p1="accept", p2="reject", p3="accept")
    decide(other, "bob", p1="accept", p2="reject", p3="edit")
    status, told = run("review", store, "--report", "--verdicts", one, "--verdicts", other)
    assert status == 0
    assert "ann: 3 of 20 facts reviewed" in told
    assert "ann and bob agree on 2 of 3 facts" in told


def test_decisions_make_a_store(store: Path, tmp_path: Path):
    decide(tmp_path / "problems.review.jsonl", "ann", p1="accept", p2="reject", p3="edit")
    out = tmp_path / "mended.jsonl"
    status, told = run("review", store, "--apply", out)
    assert status == 0, told
    mended = {one.id: [fact.text for fact in one.facts] for one in read_annotations(out).values()}
    assert mended["p1"] == ["AB is 1."]
    assert mended["p2"] == []
    assert mended["p3"] == ["AB is 99."]


def test_whose_decisions_count_has_to_be_said_where_there_are_several(store: Path, tmp_path: Path):
    decide(tmp_path / "problems.review.jsonl", "ann", p1="accept")
    decide(tmp_path / "problems.review.jsonl", "bob", p1="reject")
    status, told = run("review", store, "--apply", tmp_path / "mended.jsonl")
    assert status == 2
    assert "ann, bob" in told


def test_a_sample_is_one_page_and_the_same_for_a_seed(store: Path, tmp_path: Path):
    one, other = tmp_path / "one.html", tmp_path / "other.html"
    assert run("sample", store, "-n", 5, "--html", one)[0] == 0
    assert run("sample", store, "-n", 5, "--html", other)[0] == 0
    assert one.read_bytes() == other.read_bytes()
    assert run("sample", store, "-n", 5, "--html", one)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--kinds", "colour"], "no fact to review of the kinds colour"),
        (["--report"], "there are no decisions yet"),
        (["--verdicts", "a.jsonl", "--verdicts", "b.jsonl"], "decisions are kept in one file"),
        (["--verdicts", "/nowhere/at/all.jsonl", "--port", "0"], "/nowhere/at/all.jsonl: No such file or directory"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(store: Path, arguments: list[str], words: str):
    status, told = run("review", store, *arguments)
    assert status != 0
    assert words in told

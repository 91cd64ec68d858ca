"""`perception-reward demo`: what a reader sees first, in a terminal of theirs."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from perception_reward.service.cli.main import app


def run(*arguments: str, columns: int = 80) -> str:
    command = [sys.executable, "-m", "perception_reward.service.cli", "demo", "--exit", "--port", "0", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=100, check=False, env={"COLUMNS": str(columns)}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_it_is_short_and_fits_its_terminal(columns: int):
    shown = run(columns=columns).splitlines()
    # When it serves on, there is a line more.
    assert len(shown) < 65
    assert max(map(len, shown)) <= columns


def test_the_scores_come_first_and_then_a_rollout_with_its_question_its_marks_and_its_numbers():
    shown = " ".join(run().split())
    places = [
        shown.index(words)
        for words in (
            "Scores of 15 sample rollouts",
            "perception repetition score",
            "right-triangle/guesses-right Find x. (right: 15)",
            "‹8 on side AC›¹˒⁵",
            "verdict p fact",
            "The rules read the fact in these words.",
            "1 of 4 facts stated, less 1 for a false one",
            "perception-reward demo --all",
        )
    ]
    assert places == sorted(places)


def test_all_rollouts_are_explained_when_that_is_asked_for():
    assert run("--all").count("(right: ") == 15


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_its_samples_become_files_that_the_commands_take(tmp_path: Path):
    folder = tmp_path / "samples"
    done = invoke("demo", "--samples", str(folder))
    assert done.exit_code == 0, done.stderr
    (command,) = re.findall(r"perception-reward (score .*)", done.stdout)
    words = command.replace("results.jsonl", str(tmp_path / "results.jsonl")).split()
    scored = invoke(*words, "--workers", "1")
    assert scored.exit_code == 0, scored.stderr
    assert "15 items scored" in scored.stderr
    again = invoke("demo", "--samples", str(folder))
    assert again.exit_code == 2
    assert "exists" in again.stderr


def test_the_picture_is_that_of_the_demo():
    script = runpy.run_path(str(Path(__file__).parents[1] / "demo_picture.py"))
    svg = script["PICTURE"].read_text(encoding="utf-8")
    pictured = unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))).replace("\xa0", " ").split()
    console = Console(width=script["COLUMNS"], markup=False, highlight=False)
    with console.capture() as captured:
        console.print(script["shown"]())
    words = captured.get().split()
    assert "".join(words) in "".join(pictured), "run `make pages`"
    assert re.findall(r"https?://[^\"' )]*", svg) == ["http://www.w3.org/2000/svg", "https://www.textualize.io"]

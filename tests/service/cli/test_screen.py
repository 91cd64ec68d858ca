"""No text that a user wrote, or that we wrote, is read as markup."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.table import Table
from typer.testing import CliRunner

import perception_reward.service.cli
from perception_reward.service.cli.main import app
from perception_reward.service.cli.screen import progress, screen

NASTY = "a [bold]b[/bold] [/] [x > 0] :smile: [link=http://x]y[/link]"


def test_text_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]):
    console = screen(width=200)
    table = Table("[b]column[/b]", title=NASTY)
    table.add_row(NASTY)
    console.print(NASTY)
    console.print(table)
    with progress(console) as bar:
        bar.add_task(NASTY, total=1)
        console.print(bar.get_renderable())
    printed = capsys.readouterr().out
    assert printed.count(NASTY) >= 4
    assert "[b]column[/b]" in printed


def test_every_console_is_made_in_one_place():
    service = Path(perception_reward.service.cli.__file__).parents[1]
    made = {path.name for path in service.rglob("*.py") if "Console(" in path.read_text(encoding="utf-8")}
    assert made == {"screen.py"}


def test_the_formula_of_a_gated_profile_is_whole():
    done = CliRunner().invoke(app, ["profiles"], env={"COLUMNS": "80"})
    assert "0.9·accuracy·[perception > 0]" in done.stdout


def test_names_of_rollouts_and_facts_are_whole_in_a_comparison(tmp_path: Path):
    fact = {"id": "[f]", "verdict": "stated", "probability": 0.9, "span": None}
    parts = {"format": 1.0, "accuracy": None, "perception": 1.0, "repetition": 0.0}
    result = {"id": "[red]r[/red]", "status": "ok", "score": 1.0, "components": parts, "facts": [fact], "reason": None}
    (tmp_path / "one.jsonl").write_text(json.dumps(result) + "\n", encoding="utf-8")
    (tmp_path / "two.jsonl").write_text(json.dumps(result).replace("stated", "absent") + "\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["agree", str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl")])
    assert "[red]r[/red]" in done.stdout
    assert "[f]" in done.stdout

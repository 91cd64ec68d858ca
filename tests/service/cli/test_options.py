"""Settings as options: each command shows those that it can use, its own first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from perception_reward.service.cli.main import app
from perception_reward.service.settings import Settings, option_name

# What only a server that listens can use.
SERVERS = (
    "host", "port", "api_key", "drain_timeout", "max_body_mb", "max_buffered_mb", "max_items", "max_facts",
    "max_pending_items", "log_responses", "cascade_check", "audit",
)  # fmt: skip


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", **environment})


def options_of(command: str) -> list[str]:
    return re.findall(r"^│ [* ]*(--[a-z-]+)", run(command, "--help").stdout, re.MULTILINE)


@pytest.mark.parametrize("command", ["score", "audit", "agree"])
def test_a_command_without_a_server_has_no_options_of_one(command: str):
    shown = options_of(command)
    assert not {option_name(name) for name in SERVERS} & set(shown)
    assert "--annotations" in shown
    assert "--judge-method" in shown


@pytest.mark.parametrize(("command", "own"), [("score", "--skip-bad"), ("audit", "--labelled"), ("agree", "--items")])
def test_its_own_options_come_first(command: str, own: str):
    shown = options_of(command)
    assert shown.index(own) < shown.index("--annotations")
    assert shown.index("--help") < shown.index("--annotations")


def test_every_setting_of_a_server_stands_in_a_panel_of_its_help():
    assert {option_name(name) for name in Settings.model_fields} <= set(options_of("serve"))
    help_ = run("serve", "--help").stdout
    panels = [line for line in help_.splitlines() if line.startswith("╭─")]
    named = ["Options", "The server", "Annotations and profiles", "The judge", "The cache of verdicts"]
    assert [name for name in named if any(name in panel for panel in panels)] == named


def test_what_only_a_server_can_use_does_not_trouble_another_command(tmp_path: Path):
    items = tmp_path / "items.jsonl"
    items.write_text('{"response": "x", "answer": "5"}\n', encoding="utf-8")
    environment = {
        "PERCEPTION_REWARD_HOST": "0.0.0.0",
        "PERCEPTION_REWARD_PORT": "http",
        "PERCEPTION_REWARD_WORKERS": "1",
    }
    done = run("score", str(items), str(tmp_path / "out.jsonl"), **environment)
    assert done.exit_code == 0, done.stderr
    assert run("serve", **environment).exit_code == 2


def test_a_variable_of_what_it_can_use_counts(tmp_path: Path):
    items = tmp_path / "items.jsonl"
    items.write_text('{"response": "x", "answer": "5"}\n', encoding="utf-8")
    done = run("score", str(items), str(tmp_path / "out.jsonl"), PERCEPTION_REWARD_PROFILE="no-such")
    assert done.exit_code == 2
    assert "no-such" in done.stderr


def test_the_form_of_labelled_responses_is_told():
    shown = " ".join(run("audit", "--help").stdout.split())
    assert "`response`, `fact` and `label`" in shown

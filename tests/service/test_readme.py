"""README.md: what it says to type works, with files that are there, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from perception_reward.service.cli.main import app

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = [
    page
    for page in REPOSITORY.rglob("*.md")
    if not any(part.startswith(".") or part in ("build", "node_modules") for part in page.relative_to(REPOSITORY).parts)
]


def blocks(text: str = README) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """The words of each `perception-reward …` in the shell blocks of `text`, without the name."""
    lines = "\n".join(blocks(text)).replace("\\\n", " ")
    found = re.findall(r"(?:^|&& )perception-reward ([^\n&]*)", lines, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in found]


def test_the_samples_are_scored_and_served_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_process: Callable[..., Any]
):
    monkeypatch.chdir(tmp_path)
    (block,) = (block for block in blocks() if "demo --samples" in block)
    write, score, serve = (shlex.split(line)[1:] for line in block.splitlines())
    for command in (write, [*score, "--workers", "1"]):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.stderr
    assert len((tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()) == 15
    (curl,) = (block for block in blocks() if block.startswith("curl"))
    command = shlex.split(curl.replace("\\\n", " "))
    service = start_process(*serve[1:], "--workers", "1")
    url = command[2].replace("http://127.0.0.1:8420", service.url)
    # What curl says of data that it is given without a type.
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.post(url, content=command[command.index("-d") + 1], headers=headers)
    (result,) = answer.json()["results"]
    assert (result["status"], result["components"]["accuracy"]) == ("ok", 1.0)
    assert result["components"]["perception"] > 0


def test_every_environment_that_is_made_is_activated():
    made = [block for block in blocks() if "-m venv" in block]
    assert made
    assert all("-m venv .venv && . .venv/bin/activate &&" in block for block in made)


def test_nothing_is_installed_that_is_not_released():
    installs = re.findall(r"pip install (\S+)", README)
    assert installs
    assert not [what for what in installs if what.strip("'\"").startswith("perception-reward")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_to_a_file(page: Path):
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_option_that_is_typed_exists(page: Path):
    for command in commands(page.read_text(encoding="utf-8")):
        names = command[:2] if command[0] == "annotations" else command[:1]
        if names[0] in ("path", "check", "trainers"):
            continue  # these need no service, and have options of their own
        shown = CliRunner().invoke(app, [*names, "--help"], env={"COLUMNS": "400"})
        assert shown.exit_code == 0, command
        for word in command:
            if word.startswith("--"):
                assert re.search(rf"{re.escape(word)}\b", shown.stdout), (command, word)

"""A component of another package, by the steps that the README gives, through the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from perception_reward.service.rewards.registry import BUILT_IN, registered

README = (Path(__file__).parents[3] / "service/rewards/README.md").read_text(encoding="utf-8")


def block(start: str) -> str:
    """The README's block of code that begins with these words."""
    found = re.search(rf"^```[a-z]+\n({re.escape(start)}.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder that stands on the path as an installed package does."""
    folder = tmp_path / "site"
    about = folder / "brevity-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "brevity.py").write_text(block("from perception_reward.service.rewards.component"), encoding="utf-8")
    entry = re.search(r"^brevity = \"(.+)\"$", block("[project.entry-points"), re.MULTILINE)
    assert entry is not None
    (about / "entry_points.txt").write_text(f"[perception_reward.components]\nbrevity = {entry[1]}\n")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: brevity\nVersion: 1.0\n")
    return folder


def command(package: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(package)}
    line = [sys.executable, "-m", "perception_reward.service.cli", *map(str, arguments)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=100, check=False)


def test_a_component_of_another_package_is_weighed_by_a_profile(package: Path, tmp_path: Path):
    profiles, rollouts, results = (tmp_path / name for name in ("mine.toml", "rollouts.jsonl", "results.jsonl"))
    profiles.write_text(block("[brief]"), encoding="utf-8")
    rollouts.write_text(json.dumps({"response": " ".join(map(str, range(1000)))[:2000], "answer": "5"}) + "\n")
    ran = command(package, "score", rollouts, results, "--profiles", profiles, "--profile", "brief")
    assert ran.returncode == 0, ran.stderr
    (line,) = results.read_text().splitlines()
    told = json.loads(line)
    assert told["components"]["brevity"] == -0.5
    assert list(told["components"]) == ["format", "accuracy", "perception", "repetition", "brevity"]
    assert told["score"] == pytest.approx(0.2 * -0.5)
    assert "brevity" in ran.stdout + ran.stderr


def test_one_that_cannot_be_loaded_is_told_with_its_package(package: Path):
    (package / "brevity.py").write_text("BREVITY = 5\n")
    ran = command(package, "profiles")
    assert ran.returncode != 0
    assert "the component 'brevity' of brevity is no Component: 'brevity:BREVITY' is int" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_one_that_takes_the_name_of_another_is_refused(package: Path):
    text = (package / "brevity.py").read_text().replace('Component(\n    "brevity"', 'Component(\n    "format"')
    (package / "brevity.py").write_text(text)
    ran = command(package, "profiles")
    assert ran.returncode != 0
    assert "is called 'format', and there is one of this name already" in ran.stderr


def test_the_built_in_ones_come_first():
    assert tuple(registered().values())[: len(BUILT_IN)] == BUILT_IN

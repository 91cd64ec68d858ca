from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("missing", ["typer", "fastapi", "pydantic_settings"])
def test_the_command_says_what_to_install_where_only_the_client_is(missing: str):
    script = (
        f"import sys; sys.modules[{missing!r}] = None; from perception_reward.service.cli import run; sys.exit(run())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("the command line needs the service: pip install 'perception-reward[service]'")
    assert len(done.stderr.splitlines()) == 1


def test_the_command_runs_where_the_service_is_installed():
    command = [sys.executable, "-m", "perception_reward.service.cli", "version"]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("missing", [None, "typer"])
@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["path", "easyr1"], 0, "easyr1.py"),
        (["path", "nobody"], 2, "there are trl, verl"),
        (["trainers"], 0, "--external_plugins"),
    ],
)
def test_trainers_and_their_files_are_told_with_the_client_alone(
    missing: str | None, arguments: list[str], status: int, told: str
):
    hide = f"sys.modules[{missing!r}] = None; " if missing else ""
    script = f"import sys; {hide}from perception_reward.service.cli import run; sys.exit(run())"
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status
    assert told in done.stdout + done.stderr

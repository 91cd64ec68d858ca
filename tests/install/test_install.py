"""What a trainer's environment gets with the base install: a real wheel in an empty environment."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.install, pytest.mark.timeout(600)]

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = ("service", "trainer_client", "annotations", "pyproject.toml", "README.md", "LICENSE")
# What no two trainers agree about, and what only the service needs.
UNWANTED = {
    "torch",
    "transformers",
    "tokenizers",
    "vllm",
    "redis",
    "fastapi",
    "starlette",
    "uvicorn",
    "numpy",
    "pyarrow",
    "ray",
    "typer",
    "math-verify",
    "prometheus-client",
    "pydantic-settings",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: a build leaves folders behind in its sources."""
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder / "dist"), str(folder))
    (built,) = (folder / "dist").glob("*.whl")
    return built


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_base_install_is_thin_and_works(wheel: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    venv.create(tmp_path / "empty", with_pip=True)
    made = time.monotonic()
    python = str(tmp_path / "empty" / "bin" / "python")
    run(python, "-m", "pip", "install", "-q", str(wheel))
    installed = time.monotonic()
    found = {package["name"].lower() for package in json.loads(run(python, "-m", "pip", "list", "--format", "json"))}
    size = sum(file.stat().st_size for file in (tmp_path / "empty").rglob("*") if file.is_file())
    print(f"\nenvironment made in {made - started:.1f} s, installed in {installed - made:.1f} s, {size >> 20} MiB:")
    print(*sorted(found))
    assert not found & UNWANTED
    program = (
        "from perception_reward.trainer_client import RewardClient, ServiceUnavailable\n"
        "try:\n"
        "    RewardClient('http://127.0.0.1:9', timeout=0.1).score_sync([{'response': 'AB = 5'}])\n"
        "except ServiceUnavailable:\n"
        "    print('it asks')\n"
    )
    assert run(python, "-W", "error", "-c", program) == "it asks\n"
    command = [
        str(tmp_path / "empty" / "bin" / "perception-reward"),
        "check",
        "--url",
        "http://127.0.0.1:9",
        "--wait",
        "0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no service to ask for scores: http://127.0.0.1:9: ")

"""When adapters ask the service: each in a Python of its own, as its trainer loads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from perception_reward.trainer_client.trainers.listing import path_of

NOBODY = "http://127.0.0.1:9"


def load(path: Path, trainer: str | None, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Load an adapter's file, beside the trainer's package where one is named."""
    program = (
        "import importlib.util, sys, types\n"
        + (f"sys.modules[{trainer!r}] = types.ModuleType({trainer!r})\n" if trainer else "")
        + f"spec = importlib.util.spec_from_file_location('loaded', {str(path)!r})\n"
        "spec.loader.exec_module(importlib.util.module_from_spec(spec))\n"
        "print('loaded')\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize(
    ("name", "package"), [("verl", "verl"), ("easyr1", "verl"), ("openrlhf", "openrlhf"), ("slime", "slime")]
)
def test_a_trainer_that_loads_its_adapter_is_told_of_a_wrong_address(name: str, package: str) -> None:
    done = load(path_of(name), package, {"PERCEPTION_REWARD_URL": NOBODY, "PERCEPTION_REWARD_START_WAIT": "0"})
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("perception_reward.trainer_client.errors.ServiceUnavailable: ")
    assert NOBODY in last


@pytest.mark.parametrize("name", ["trl", "verl", "easyr1", "openrlhf", "slime", "verifiers", "areal"])
def test_whatever_else_imports_an_adapter_asks_nobody(name: str) -> None:
    done = load(path_of(name), None, {"PERCEPTION_REWARD_URL": NOBODY})
    assert (done.stdout, done.stderr) == ("loaded\n", "")


@pytest.mark.parametrize(("name", "package"), [("verl", "verl"), ("easyr1", "verl")])
def test_an_address_that_may_come_with_the_call_is_not_missed(name: str, package: str) -> None:
    assert load(path_of(name), package, {}).stdout == "loaded\n"


def test_a_trainer_goes_on_where_the_service_can_be_used_or_the_user_does_not_ask(served: str) -> None:
    for environment in (
        {"PERCEPTION_REWARD_URL": served},
        {"PERCEPTION_REWARD_URL": NOBODY, "PERCEPTION_REWARD_CHECK": "0"},
    ):
        done = load(path_of("openrlhf"), "openrlhf", environment)
        assert (done.stdout, done.stderr) == ("loaded\n", "")

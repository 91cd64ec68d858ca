"""The trainers that there is an adapter for: the file of each, and the line that its configuration needs.

It needs the standard library alone, so that `perception-reward path` and `perception-reward trainers` work in a
trainer's environment, where only the client is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
_PACKAGE = "perception_reward.trainer_client.trainers"


@dataclass(frozen=True)
class Trainer:
    """module: the adapter's file below this folder. line: what goes into the configuration; `{package}` is where the
    adapters are, and `{path}` the file of this one."""

    module: str
    line: str

    @property
    def path(self) -> Path:
        return _FOLDER / f"{self.module}.py"


TRAINERS = {
    "trl": Trainer("trl", "--reward_funcs {package}.trl.reward"),
    "verl": Trainer("verl", "reward.custom_reward_function.path=pkg://{package}.verl"),
    "easyr1": Trainer("easyr1", "worker.reward.reward_function={path}:compute_score"),
    "openrlhf": Trainer("openrlhf", "--reward.remote_url {path}"),
    "ms-swift": Trainer("swift/perception_reward_plugin", "--external_plugins {path} --reward_funcs perception_reward"),
    "slime": Trainer("slime", "--custom-rm-path {package}.slime.custom_rm"),
    "verifiers": Trainer(
        "verifiers", "await {package}.verifiers.score_reply(trace.assistant_messages[-1:], self.data)"
    ),
    "skyrl": Trainer("skyrl", 'register(id="perception", entry_point="{package}.skyrl:PerceptionEnv")'),
    "areal": Trainer("areal", 'workflow="{package}.areal_workflow.VisionPerceptionWorkflow"'),
    "roll": Trainer("roll", "worker_cls: {package}.roll.PerceptionRewardWorker"),
    "nemo-gym": Trainer("nemo_gym", "cp {path} resources_servers/perception_reward/app.py"),
}

# Trainers, and forms of them, that need nothing installed: their reward is an address.
ADDRESSES = {
    "openrlhf": "--reward.remote_url http://any:KEY@HOST:8420/openrlhf",
    "slime": "--rm-type remote_rm --rm-url http://any:KEY@HOST:8420/slime",
}


def path_of(name: str) -> Path:
    """The adapter's file. Raises `ValueError`, which lists the known names."""
    if name not in TRAINERS:
        raise ValueError(f"no trainer is called {name!r}; there are {', '.join(TRAINERS)}")
    return TRAINERS[name].path


def table() -> str:
    """Every trainer with its line, for people."""
    lines = [(name, trainer.line.format(package=_PACKAGE, path=trainer.path)) for name, trainer in TRAINERS.items()]
    lines += [(f"{name} (HTTP)", line) for name, line in ADDRESSES.items()]
    width = max(len(name) for name, _ in lines) + 2
    shown = "\n".join(f"{name:<{width}}{line}" for name, line in lines)
    return f"{shown}\n\nMore of each is in the file that `perception-reward path NAME` prints, at its top."


def main(arguments: Sequence[str]) -> tuple[int, str]:
    """`path NAME` or `trainers`: the exit status, and what to print."""
    if list(arguments) == ["trainers"]:
        return 0, table()
    if len(arguments) == 2 and arguments[0] == "path":
        try:
            return 0, str(path_of(arguments[1]))
        except ValueError as error:
            return 2, str(error)
    return 2, f"usage: perception-reward trainers, or perception-reward path NAME; names: {', '.join(TRAINERS)}"

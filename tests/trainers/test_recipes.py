"""The recipes name options that their trainers have, and add up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perception_reward.trainer_client.options import ENVIRONMENT_PREFIX, variable

RECIPES = Path(__file__).resolve().parents[2] / "trainer_client" / "recipes"


@pytest.mark.trl
def test_trls_command_line_takes_the_whole_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trl")
    from trl.scripts.grpo import make_parser

    # The recipe sets variables of its own.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    monkeypatch.setattr(os, "environ", outside)
    here = ["--bf16", "False", "--use_cpu", "True"]
    script, config, _, _, unknown, launcher = make_parser().parse_args_and_config(
        ["--config", str(RECIPES / "grpo_trl.yaml"), *here, "--accelerate_config", "zero3", "--num_processes", "8"],
        return_remaining_strings=True,
        separate_remaining_strings=True,
    )
    assert unknown == []
    assert launcher == ["--accelerate_config", "zero3", "--num_processes", "8"]
    assert script.reward_funcs == ["perception_reward.trainer_client.trainers.trl.reward"]
    names = {name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)}
    assert names == {variable(name) for name in ("base_url", "run", "profile")}
    # As TRL counts them: one generation for one step, of whole groups.
    completions = 8 * config.per_device_train_batch_size * config.gradient_accumulation_steps
    assert completions == 128 * config.num_generations
    assert config.steps_per_generation == config.gradient_accumulation_steps


@pytest.mark.verl
def test_every_option_of_the_recipe_is_one_of_verls():
    hydra = pytest.importorskip("hydra")
    omegaconf = pytest.importorskip("omegaconf")
    pytest.importorskip("verl")
    with hydra.initialize_config_module("verl.trainer.config", version_base=None):
        known = hydra.compose("ppo_trainer")
    with hydra.initialize_config_dir(str(RECIPES), version_base=None):
        composed = hydra.compose("grpo_verl")
    recipe = omegaconf.OmegaConf.load(RECIPES / "grpo_verl.yaml")
    leaves = dict(options(omegaconf.OmegaConf.to_container(recipe)))
    ours = {path for path in leaves if path.split(".")[0] in ("hydra", "defaults", "perception_reward")}
    # What it passes on to the processor is free.
    free = {path for path in leaves if path.startswith("data.mm_processor_kwargs.")}
    assert leaves.keys() - ours - free <= dict(options(omegaconf.OmegaConf.to_container(known))).keys()
    assert {path: omegaconf.OmegaConf.select(composed, path) for path in leaves.keys() - ours} == {
        path: leaves[path] for path in leaves.keys() - ours
    }


@pytest.mark.verl
def test_the_recipe_is_sound_to_verl() -> None:
    hydra = pytest.importorskip("hydra")
    omegaconf = pytest.importorskip("omegaconf")
    pytest.importorskip("verl")
    from verl.utils.config import omega_conf_to_dataclass, validate_config

    with hydra.initialize_config_dir(str(RECIPES), version_base=None):
        recipe = hydra.compose("grpo_verl")
    validate_config(recipe, use_reference_policy=False, use_critic=False)
    # The model's would be fetched.
    for part in ("algorithm", "actor_rollout_ref.actor", "actor_rollout_ref.rollout"):
        omega_conf_to_dataclass(omegaconf.OmegaConf.select(recipe, part))


def options(recipe: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in recipe.items():
        if isinstance(value, dict):
            yield from options(value, f"{before}{name}.")
        else:
            yield before + str(name), value

"""The recipes name options that their trainers have."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

RECIPES = Path(__file__).resolve().parents[2] / "trainer_client" / "recipes"


@pytest.mark.trl
def test_every_option_of_the_recipe_is_one_of_trls():
    yaml = pytest.importorskip("yaml")
    trl = pytest.importorskip("trl")
    from trl.scripts.grpo import GRPOScriptArguments

    recipe = yaml.safe_load((RECIPES / "grpo_trl.yaml").read_text(encoding="utf-8"))
    known = {
        field.name
        for kind in (GRPOScriptArguments, trl.GRPOConfig, trl.ModelConfig, trl.DatasetMixtureConfig)
        for field in dataclasses.fields(kind)
    }
    assert recipe.keys() - known == {"env"}
    # As TRL counts them: one generation for one step, of whole groups.
    completions = 8 * recipe["per_device_train_batch_size"] * recipe["gradient_accumulation_steps"]
    assert completions == 128 * recipe["num_generations"]
    values = {name: recipe[name] for name in recipe.keys() & {one.name for one in dataclasses.fields(trl.GRPOConfig)}}
    config = trl.GRPOConfig(**{**values, "bf16": False, "use_cpu": True})
    assert config.steps_per_generation == recipe["gradient_accumulation_steps"]


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


def options(recipe: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in recipe.items():
        if isinstance(value, dict):
            yield from options(value, f"{before}{name}.")
        else:
            yield before + str(name), value

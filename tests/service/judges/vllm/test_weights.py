from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from perception_reward.service.judges.vllm.factory import model_identity
from perception_reward.service.judges.vllm.weights import digest


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"hidden_size": 64}')
    (folder / "model.safetensors").write_bytes(os.urandom(2_000_000))
    return folder


def test_a_copy_elsewhere_holds_the_same_weights(model: Path, tmp_path: Path):
    copy = shutil.copytree(model, tmp_path / "copy")
    assert digest(Path(copy)) == digest(model)


def test_other_weights_of_the_same_shape_are_told_apart(model: Path):
    before = digest(model)
    (model / "model.safetensors").write_bytes(os.urandom(2_000_000))
    assert digest(model) != before


def test_another_configuration_is_told_apart(model: Path):
    before = digest(model)
    (model / "config.json").write_text('{"hidden_size": 65}')
    assert digest(model) != before


def test_what_is_no_part_of_the_model_does_not_count(model: Path):
    before = digest(model)
    (model / "README.md").write_text("trained on a Monday")
    (model / ".cache").mkdir()
    assert digest(model) == before


def test_weights_count_in_an_engine_s_identity_where_they_are_a_folder(model: Path):
    assert model_identity(str(model), {"dtype": "float32"}) == {"dtype": "float32", "weights": digest(model)}
    assert model_identity("Qwen/Qwen2.5-1.5B-Instruct", {"dtype": "float32"}) == {"dtype": "float32"}

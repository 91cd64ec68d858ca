"""Why an engine could not be started: one line that names what to change."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from perception_reward.service.judges.vllm.faults import explained

STARTED = RuntimeError("Engine core initialization failed. See root cause above. Failed core proc(s): {}")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (
            "ValueError: To serve at least one request with the models's max seq len (4096), 2 GiB KV cache is needed",
            "max_model_len",
        ),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB", "gpu_memory_utilization"),
        ("ValueError: No available memory for the cache blocks.", "VLLM_CPU_KVCACHE_SPACE"),
        ("OSError: x/y is not a local folder and is not a valid model identifier listed on the hub", "cannot be found"),
        ("RuntimeError: Cannot find any model weights with `/models/x`", "--judge vllm:MODEL"),
        ("RuntimeError: something else", "something else"),
    ],
)
def test_the_engines_own_words_come_with_what_to_set(cause: str, words: str):
    line = explained("some/model", STARTED, cause)
    assert words in line
    assert "'some/model'" in line
    assert "--judge" in line


def test_an_engine_that_was_killed_while_it_started_ran_out_of_memory():
    error = RuntimeError("Engine core initialization failed. Failed core proc(s): {'EngineCore': -9}")
    assert "memory runs out" in explained("m", error, None)


def test_however_long_the_reason_it_is_one_line():
    line = explained("m", ValueError("first\nsecond\n" + "x" * 10_000), None)
    assert "\n" not in line
    assert len(line) < 600
    assert "ValueError: first second" in line


def test_an_argument_that_vllm_refuses_is_named():
    class ParallelConfig(BaseModel):
        tensor_parallel_size: int

    with pytest.raises(ValidationError) as refusal:
        ParallelConfig.model_validate({"tensor_parallel_size": "two"})
    line = explained("m", refusal.value, None)
    assert line.startswith("vLLM refuses --judge-engine-arg tensor_parallel_size: Input should be a valid integer")
    assert "\n" not in line

"""What is passed on to vLLM: `KEY=VALUE`, one for each engine argument."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

# Said elsewhere, each in one place: by `--judge` and `--judge-tokenizer`.
_TAKEN = {"model": "the model is named by --judge vllm:MODEL", "tokenizer": "use --judge-tokenizer"}


# They decide how much is computed at once and where, not what. What is not named here counts as able to change a
# verdict.
_NO_DIFFERENCE = frozenset(
    {
        "block_size",
        "data_parallel_size",
        "disable_log_stats",
        "distributed_executor_backend",
        "download_dir",
        "enable_chunked_prefill",
        "enable_log_requests",
        "enable_prefix_caching",
        "enforce_eager",
        "gpu_memory_utilization",
        "kv_cache_memory_bytes",
        "max_model_len",
        "max_num_batched_tokens",
        "max_num_seqs",
        "pipeline_parallel_size",
        "tensor_parallel_size",
    }
)


class UnknownArgument(ValueError):
    """vLLM has no engine argument of this name."""


def parse_arguments(written: Sequence[str]) -> dict[str, object]:
    """The engine arguments by name, such as `{"max_model_len": 8192, "dtype": "bfloat16"}`.

    Names may be written as vLLM's own options, `--max-model-len=8192`. A value is JSON where it parses as such
    (numbers, `true`, `null`, lists, objects), else text. Raises ValueError for what is no KEY=VALUE, and for a
    name that comes twice or is set elsewhere.
    """
    arguments: dict[str, object] = {}
    for each in written:
        key, equals, value = each.partition("=")
        name = key.strip().removeprefix("--").replace("-", "_")
        if not equals or not name:
            raise ValueError(f"{each!r} is not KEY=VALUE, such as max_model_len=8192")
        if name in _TAKEN:
            raise ValueError(f"{name!r} cannot be set here: {_TAKEN[name]}")
        if name in arguments:
            raise ValueError(f"{name!r} is given twice")
        arguments[name] = _value(value.strip())
    return arguments


def identity(arguments: Mapping[str, object]) -> dict[str, object]:
    """Those that can change a verdict, such as `dtype` and `quantization`: part of the judge's fingerprint."""
    return {name: value for name, value in arguments.items() if name not in _NO_DIFFERENCE}


def check_names(arguments: Mapping[str, object], known: Collection[str]) -> None:
    """Raises UnknownArgument for one that is not `known`, with the names that are near to it."""
    for name in arguments:
        if name not in known:
            near = get_close_matches(name, sorted(known), n=3, cutoff=0.6)
            advice = f"did you mean {', '.join(near)}?" if near else "see vLLM's engine arguments"
            raise UnknownArgument(f"vLLM has no engine argument {name!r} (--judge-engine-arg); {advice}")


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text

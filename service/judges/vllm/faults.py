"""Why an engine could not be started, in one line that says what to do."""

from __future__ import annotations

import re

from pydantic import ValidationError

from perception_reward.annotations.faults import first_fault

_MOST_REPEATED = 400

_MEMORY = re.compile(
    r"out of memory|OutOfMemory|MemoryError|cannot allocate|KV cache|cache blocks|available memory|free memory",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"not a valid model identifier|not a local folder|couldn't connect|Repository Not Found|does not appear to have"
    r"|cannot find any (?:model )?weights|Invalid repository ID",
    re.IGNORECASE,
)
_KILLED = re.compile(r"Failed core proc.*: -9\b")


def explained(model: str, error: BaseException, cause: str | None) -> str:
    """One line about `error`, with which vLLM refused to start `model`.

    cause: what the engine's own process said, where it was one that failed.
    """
    if isinstance(error, ValidationError):
        where, message = first_fault(error)
        return f"vLLM refuses --judge-engine-arg {where}: {_one_line(message)}"
    said = _one_line(cause or f"{type(error).__name__}: {error}")
    if _MEMORY.search(said):
        return (
            f"the judge model {model!r} finds too little memory: {said}; set a smaller max_model_len, or another "
            "gpu_memory_utilization or quantization, with --judge-engine-arg KEY=VALUE (on a CPU, the variable "
            "VLLM_CPU_KVCACHE_SPACE is the room for the KV cache in GiB)"
        )
    if _NO_MODEL.search(said):
        return f"the judge model {model!r} cannot be found, as a folder or on the hub (--judge vllm:MODEL): {said}"
    if _KILLED.search(said):
        return (
            f"the engine of the judge model {model!r} was killed while it started, as the system does when memory "
            "runs out; take a smaller model or a quantised one (--judge vllm:MODEL, --judge-engine-arg)"
        )
    return f"vLLM cannot serve the judge model {model!r} (--judge, --judge-engine-arg): {said}"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_REPEATED else line[: _MOST_REPEATED - 1] + "…"

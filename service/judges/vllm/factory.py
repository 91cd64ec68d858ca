"""From `vllm:MODEL` to an engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from perception_reward.service.judges.llm.engine import JudgeObserver
from perception_reward.service.judges.vllm import weights
from perception_reward.service.judges.vllm.arguments import identity
from perception_reward.service.judges.vllm.engine import VLLMEngine
from perception_reward.service.judges.vllm.launch import Launcher
from perception_reward.service.judges.vllm.library import installed

SCHEME = "vllm:"
FORM = "vllm:MODEL, a folder or a model hub's name, for example vllm:Qwen/Qwen2.5-1.5B-Instruct"

_HUB_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)?")


def parse_model(spec: str) -> str:
    """The model in `vllm:MODEL`. ValueError where there is none, or no such folder."""
    model = spec.removeprefix(SCHEME).strip()
    if not model:
        raise ValueError(f"the judge names no model; write {FORM}")
    if not Path(model).is_dir() and (model.startswith((".", "/", "~")) or not _HUB_NAME.fullmatch(model)):
        raise ValueError(f"there is no model folder {model!r}; write {FORM}")
    return model


def vllm_engine(
    spec: str,
    *,
    arguments: Mapping[str, object],
    tokenizer: str | None = None,
    concurrency: int = 64,
    restart: bool = True,
    observer: JudgeObserver | None = None,
) -> VLLMEngine:
    """The engine that `spec` names, not yet started. Raises ValueError, for people, where there can be none.

    arguments: vLLM's engine arguments by name.
    """
    model = parse_model(spec)
    if not installed():
        raise ValueError(
            "the judge vllm:MODEL needs vLLM: pip install 'perception-reward[vllm]' where there is a GPU, or "
            "'perception-reward[cpu]' for the CPU, into the environment of the service"
        )
    launcher = Launcher(model, tokenizer, arguments)
    return VLLMEngine(
        model,
        launcher,
        concurrency=concurrency,
        restart=restart,
        identity=model_identity(model, arguments),
        observer=observer,
    )


def model_identity(model: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """What can change an answer of the engine besides the model's name. ValueError for a folder that cannot be read."""
    found = identity(arguments)
    return {**found, "weights": weights.digest(Path(model))} if Path(model).is_dir() else found

"""A model asked by plain forward passes, to measure it where it was taught: slow beside vLLM, and nothing to install.

Implements `Engine`. What an ask shares with the one before it is not computed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from perception_reward.service.judges.base import Health
from perception_reward.service.judges.llm.engine import Choice, LogProbs, Tokens, Writing, Written

torch: Any = import_module("torch")


class PlainEngine:
    """model: a causal language model of transformers; put into evaluation mode."""

    name = "transformers"
    identity: Mapping[str, object] = {}
    capacity = 1

    def __init__(self, model: Any, name: str) -> None:
        self.model = name
        self._model = model.eval()
        self._one_at_a_time = asyncio.Lock()
        self._seen: Tokens = ()
        self._cache: Any = None

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._choose, choice)

    def _choose(self, choice: Choice) -> tuple[LogProbs, ...]:
        found: list[LogProbs] = []
        with torch.inference_mode():
            for suffix in choice.suffixes:
                odds = torch.log_softmax(self._next(choice.shared + suffix).float(), dim=-1)
                found.append({token: float(odds[token]) for token in choice.answers})
        return tuple(found)

    def _next(self, tokens: Tokens) -> Any:
        """The logits of the token behind `tokens`."""
        shared = 0
        if self._cache is not None and not any(getattr(self._cache, "is_sliding", [True])):
            pairs = enumerate(zip(self._seen, tokens, strict=False))
            differing = (place for place, (one, other) in pairs if one != other)
            shared = min(next(differing, len(self._seen)), len(tokens) - 1)
        if not shared:
            self._cache = None
        elif shared < len(self._seen) and self._cache is not None:
            # Negative: so many are taken off its end.
            self._cache.crop(shared - len(self._seen))
        rest = torch.tensor([tokens[shared:]], device=self._model.device)
        output = self._model(input_ids=rest, cache=self._cache, use_cache=True, logits_to_keep=1)
        self._seen, self._cache = tokens, output.cache
        return output.logits[0, -1]

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        raise NotImplementedError("only `verdict` is taught, which writes nothing")

    async def health(self) -> Health:
        return Health(True)

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...

"""The engine that is one or more vLLM servers: asks become HTTP requests, which the pool carries."""

from __future__ import annotations

import asyncio

from perception_reward.service.judges.base import Health
from perception_reward.service.judges.llm.ask import Choice, LogProbs, Writing, Written
from perception_reward.service.judges.llm.failure import JudgeFailure
from perception_reward.service.judges.openai import completions, health
from perception_reward.service.judges.openai.pool import EndpointPool


class OpenAIEngine:
    """Implements `Engine`. `model` is the name under which the endpoints serve it."""

    name = "openai"

    def __init__(self, pool: EndpointPool, model: str) -> None:
        self._pool = pool
        self.model = model

    @property
    def capacity(self) -> int:
        return self._pool.capacity

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        call = await asyncio.to_thread(completions.choosing, self.model, choice)
        reply = await self._pool.post(call, affinity, deadline)
        return completions.chosen(reply, len(choice.suffixes))

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        call = await asyncio.to_thread(completions.writing, self.model, writing)
        written = completions.written(await self._pool.post(call, affinity, deadline))
        if written is None:
            raise JudgeFailure("judge_unparseable", "the reply holds no text")
        return written

    async def health(self) -> Health:
        return await health.check(self._pool.session, self._pool.endpoints, self.model)

    async def start(self) -> None:
        """Nothing to wait for: the servers need not be up yet."""

    async def aclose(self) -> None:
        await self._pool.aclose()

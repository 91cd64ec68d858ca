"""The judge over HTTP: a request per response, several where it has very many facts, carried by the pool."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b

from perception_reward.service.judges.base import (
    Health,
    JudgeInfo,
    JudgeTask,
    Missing,
    Outcome,
    Scope,
)
from perception_reward.service.judges.openai import health
from perception_reward.service.judges.llm.failure import JudgeFailure
from perception_reward.service.judges.openai.method import Method
from perception_reward.service.judges.openai.pool import EndpointPool


class OpenAIJudge:
    """Implements `Judge`. `model` is the name under which the endpoints serve it."""

    def __init__(self, pool: EndpointPool, model: str, method: Method) -> None:
        self._pool = pool
        self._method = method
        self._model = model
        self._info = self._describe()

    @property
    def info(self) -> JudgeInfo:
        """The fingerprint is final after `start`: only then is it known how the model is asked."""
        return self._info

    def _describe(self) -> JudgeInfo:
        return JudgeInfo("openai", self._model, self._method.name, fingerprint(self._model, self._method))

    @property
    def scope(self) -> Scope:
        return self._method.scope

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        # Twice what the endpoints take: the next requests are ready when a slot frees, and no more are held.
        room = asyncio.Semaphore(2 * self._pool.capacity)
        jobs = [asyncio.create_task(self._decide(index, task, deadline, room)) for index, task in enumerate(tasks)]
        try:
            for done in asyncio.as_completed(jobs):
                yield await done
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def _decide(
        self, index: int, task: JudgeTask, deadline: float, room: asyncio.Semaphore
    ) -> tuple[int, tuple[Outcome, ...]]:
        outcomes: list[Outcome] = []
        try:
            for part in self._parts(task):
                async with asyncio.timeout_at(deadline), room:
                    outcomes += await self._ask(part, deadline)
        except JudgeFailure as failure:
            missing = Missing(failure.reason)
        except TimeoutError:
            missing = Missing("judge_timeout")
        else:
            return index, tuple(outcomes)
        return index, (*outcomes, *[missing] * (len(task.facts) - len(outcomes)))

    def _parts(self, task: JudgeTask) -> Iterator[JudgeTask]:
        """One after the other, so that later ones find the response in the server's prefix cache."""
        size = self._method.most_facts or len(task.facts) or 1
        for start in range(0, len(task.facts), size):
            yield replace(task, facts=task.facts[start : start + size])

    async def _ask(self, task: JudgeTask, deadline: float) -> tuple[Outcome, ...]:
        call = await asyncio.to_thread(self._method.call, task)
        reply = await self._pool.post(call, task.group or task.response, deadline)
        return self._method.read(reply, task.facts)

    async def health(self) -> Health:
        return await health.check(self._pool.session, self._pool.endpoints, self._model)

    async def start(self) -> None:
        """Load what the method needs. The endpoints need not be up yet. Raises ValueError for a model that
        cannot be asked this way."""
        await asyncio.to_thread(self._method.load)
        self._info = self._describe()

    async def aclose(self) -> None:
        await self._pool.aclose()


def fingerprint(model: str, method: Method) -> str:
    """`openai/METHOD/` and 16 hexadecimal digits over all that can change a verdict; not the endpoints."""
    content = json.dumps({"model": model, "method": method.name, **method.identity}, sort_keys=True)
    return f"openai/{method.name}/{blake2b(content.encode(), digest_size=8).hexdigest()}"

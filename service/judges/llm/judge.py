"""The judge that is a language model: a method says what to ask, an engine answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b

from perception_reward.service.judges.base import Health, JudgeInfo, JudgeTask, Missing, Outcome, Scope, Verdict
from perception_reward.service.judges.llm.ask import Choice, Reply
from perception_reward.service.judges.llm.engine import Engine
from perception_reward.service.judges.llm.failure import JudgeFailure
from perception_reward.service.judges.llm.method import Method
from perception_reward.service.judges.llm.vocabulary import Vocabulary


class LLMJudge:
    """Implements `Judge`.

    tokenizer: where the model's tokenizer and chat template are: a folder, or a model hub's name.
    """

    def __init__(self, engine: Engine, method: Method, *, tokenizer: str) -> None:
        self._engine = engine
        self._method = method
        self._tokenizer = tokenizer
        self._info = self._describe()

    @property
    def info(self) -> JudgeInfo:
        """The fingerprint is final after `start`: only then is it known how the model is asked."""
        return self._info

    def _describe(self) -> JudgeInfo:
        engine, method = self._engine, self._method
        return JudgeInfo(engine.name, engine.model, method.name, fingerprint(engine.name, engine.model, method))

    @property
    def scope(self) -> Scope:
        return self._method.scope

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        # Twice what the engine takes: the next asks are ready when a place frees, and no more are held.
        room = asyncio.Semaphore(2 * self._engine.capacity)
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
        """One after the other, so that later ones find the response in the engine's prefix cache."""
        size = self._method.most_facts or len(task.facts) or 1
        for start in range(0, len(task.facts), size):
            yield replace(task, facts=task.facts[start : start + size])

    async def _ask(self, task: JudgeTask, deadline: float) -> tuple[Outcome, ...]:
        rendered = await asyncio.to_thread(self._method.render, task)
        affinity = task.group or task.response
        reply: Reply
        if isinstance(rendered.ask, Choice):
            reply = await self._engine.choose(rendered.ask, affinity, deadline)
        else:
            reply = await self._engine.write(rendered.ask, affinity, deadline)
        outcomes = self._method.read(reply, task.facts)
        return tuple(map(_of_a_part, outcomes)) if rendered.truncated else outcomes

    async def health(self) -> Health:
        return await self._engine.health()

    async def start(self) -> None:
        """Load what the method needs, then the engine; an engine of another process need not be up yet.

        Raises ValueError for a model that cannot be asked this way.
        """
        await asyncio.to_thread(self._load)
        await self._engine.start()
        self._info = self._describe()

    def _load(self) -> None:
        self._method.load(Vocabulary(self._tokenizer))

    async def aclose(self) -> None:
        await self._engine.aclose()


def _of_a_part(outcome: Outcome) -> Outcome:
    return replace(outcome, truncated=True) if isinstance(outcome, Verdict) else outcome


def fingerprint(engine: str, model: str, method: Method) -> str:
    """`ENGINE/METHOD/` and 16 hexadecimal digits over all that can change a verdict; not where the engine is."""
    content = json.dumps({"model": model, "method": method.name, **method.identity}, sort_keys=True)
    return f"{engine}/{method.name}/{blake2b(content.encode(), digest_size=8).hexdigest()}"

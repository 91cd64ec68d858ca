"""The judge that is a language model: a method says what to ask, an engine answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b

from perception_reward.service.judges.base import Health, JudgeInfo, JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.llm.engine import Choice, Engine, JudgeFailure, Reply
from perception_reward.service.judges.llm.evidence import Decide, Evidence, EvidenceBatch
from perception_reward.service.judges.llm.method import Method
from perception_reward.service.judges.llm.vocabulary import Vocabulary


class LLMJudge:
    """Implements `Judge`.

    tokenizer: where the model's tokenizer and chat template are: a folder, or a model hub's name.
    evidence: shows the model, fact by fact, only what can bear on it; the whole response without. ValueError for a
        method that asks about all facts at once.
    """

    def __init__(self, engine: Engine, method: Method, *, tokenizer: str, evidence: Evidence | None = None) -> None:
        if evidence is not None and method.together:
            raise ValueError(
                f"evidence is selected and grounded fact by fact, and the method {method.name!r} asks about all at once"
            )
        self._engine = engine
        self._method = method
        self._tokenizer = tokenizer
        self._evidence = evidence
        self._info = self._describe()

    @property
    def info(self) -> JudgeInfo:
        """The fingerprint is final after `start`: only then is it known how the model is asked."""
        return self._info

    def _describe(self) -> JudgeInfo:
        engine, method = self._engine, self._method
        return JudgeInfo(engine.name, engine.model, method.name, fingerprint(engine, method, self._evidence))

    @property
    def together(self) -> bool:
        return self._method.together

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        # Twice what the engine takes: the next asks are ready when a place frees, and no more are held.
        room = asyncio.Semaphore(2 * self._engine.capacity)
        decide: Decide = partial(self._outcomes, deadline=deadline, room=room)
        if self._evidence is not None:
            decide = EvidenceBatch(self._evidence, decide, deadline).outcomes
        jobs = [asyncio.create_task(_numbered(index, decide, task)) for index, task in enumerate(tasks)]
        try:
            for done in asyncio.as_completed(jobs):
                yield await done
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def shown(self, task: JudgeTask, deadline: float) -> list[str | None]:
        """For each fact what the model reads of the response; None where that is all of it."""
        found = Missing("judge_unavailable") if self._evidence is None else await self._evidence.of(task, deadline)
        return [None] * len(task.facts) if isinstance(found, Missing) else [one.text for one in found]

    async def _outcomes(self, task: JudgeTask, deadline: float, room: asyncio.Semaphore) -> tuple[Outcome, ...]:
        """One per fact of `task`, by the deadline."""
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
            return tuple(outcomes)
        return (*outcomes, *[missing] * (len(task.facts) - len(outcomes)))

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


async def _numbered(index: int, decide: Decide, task: JudgeTask) -> tuple[int, tuple[Outcome, ...]]:
    return index, await decide(task)


def _of_a_part(outcome: Outcome) -> Outcome:
    return replace(outcome, truncated=True) if isinstance(outcome, Verdict) else outcome


def fingerprint(engine: Engine, method: Method, evidence: Evidence | None = None) -> str:
    """`ENGINE/METHOD/` and 16 hexadecimal digits over all that can change a verdict; not where the engine is."""
    identity: dict[str, object] = {"model": engine.model, "method": method.name, **method.identity}
    identity |= {"engine": dict(engine.identity)}
    if evidence is not None:
        identity["evidence"] = evidence.identity
    content = json.dumps(identity, sort_keys=True)
    return f"{engine.name}/{method.name}/{blake2b(content.encode(), digest_size=8).hexdigest()}"

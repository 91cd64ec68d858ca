"""The symbolic judge: no model, no network; a verdict is a reading of the text and costs well under a millisecond.

A fact about a figure is compared with the claims that the response makes (`statements`, `evidence`, `compare`); every
other fact goes to `coverage`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from perception_reward.annotations.language.geometry.facts import fact_claims, letters_of
from perception_reward.annotations.language.geometry.statements import claims
from perception_reward.annotations.language.sentences import read
from perception_reward.service.judges.base import Health, JudgeInfo, JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.sources import LANGUAGE, fingerprint_of
from perception_reward.service.judges.symbolic.compare import ReadDocument, verdict_of
from perception_reward.service.judges.symbolic.coverage import decide
from perception_reward.service.judges.symbolic.passages import Passages
from perception_reward.service.judges.symbolic.whereabouts import placed
from perception_reward.service.processes.outcomes import Failure, TimedOut
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.trainer_client.wire import Fact

# What one response may take in a worker, in seconds. A megabyte of text takes less.
TIME_LIMIT = 5.0


def decide_all(response: str, facts: Sequence[Fact]) -> tuple[Verdict, ...]:
    """One verdict per fact, in order. Pure: the same arguments give the same verdicts."""
    document = read(response)
    parts = [fact_claims(fact.text) for fact in facts]
    geometric = [claim for claims_of_fact in parts for claim in claims_of_fact]
    reading = ReadDocument(document, claims(document, letters_of(geometric))) if geometric else None
    units = Passages(document)
    verdicts = (
        verdict_of(claimed, fact.text, reading) if claimed and reading else decide(fact, units)
        for fact, claimed in zip(facts, parts, strict=True)
    )
    decided = (placed(verdict, response, fact) for verdict, fact in zip(verdicts, facts, strict=True))
    return tuple(replace(verdict, stage="rules") for verdict in decided)


def _decide_task(task: JudgeTask) -> tuple[Verdict, ...]:
    return decide_all(task.response, task.facts)


class SymbolicJudge:
    """A `Judge` that reads. With a pool it works in worker processes, without one on the event loop itself."""

    together = False

    def __init__(self, pool: WorkerPool | None = None) -> None:
        self._pool = pool
        self.info = JudgeInfo("symbolic", None, "rules", fingerprint_of(__package__ or "", LANGUAGE))

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        """Yield each task's verdicts; `Missing` for a task that was too slow or that killed its worker."""
        if self._pool is None:
            async with aclosing(_inline(tasks, deadline)) as decided:
                async for index, outcomes in decided:
                    yield index, outcomes
            return
        mapped = self._pool.map(_decide_task, tasks, deadline=deadline, time_limit=TIME_LIMIT)
        async with aclosing(mapped) as results:
            async for index, outcome in results:
                yield index, _outcomes(outcome, len(tasks[index].facts))

    async def health(self) -> Health:
        """Always well: there is nothing to reach."""
        return Health(True, "rules only, nothing to reach")

    async def start(self) -> None:
        """Nothing to do: the pool belongs to whoever passed it."""

    async def aclose(self) -> None:
        """Nothing to do: the pool belongs to whoever passed it."""


async def _inline(tasks: Sequence[JudgeTask], deadline: float) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
    loop = asyncio.get_running_loop()
    for index, task in enumerate(tasks):
        if loop.time() >= deadline:
            yield index, _outcomes(TimedOut(), len(task.facts))
            continue
        yield index, _decide_task(task)
        await asyncio.sleep(0)


def _outcomes(outcome: tuple[Verdict, ...] | Failure, facts: int) -> tuple[Outcome, ...]:
    if isinstance(outcome, tuple):
        return outcome
    return (Missing("judge_timeout" if isinstance(outcome, TimedOut) else "judge_unavailable"),) * facts

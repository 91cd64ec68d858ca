"""Evidence instead of the whole response: a judge reads the sentences that can bear on a fact, and only those.

Prompts shrink, and they repeat across rollouts: what is asked again is remembered.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from hashlib import blake2b
from typing import TypeAlias

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.llm import sanitise, selection
from perception_reward.service.workers import Crashed, TimedOut, WorkerPool
from perception_reward.trainer_client.wire import Fact

Key: TypeAlias = bytes
Select: TypeAlias = Callable[[str, Fact], str]
Decide: TypeAlias = Callable[[JudgeTask], Awaitable[tuple[Outcome, ...]]]
_Asked: TypeAlias = "dict[Key, asyncio.Future[Outcome]]"

# A fact that nothing in the response can bear on.
ABSENT = Verdict("absent", 0.0, contradiction=0.0, unasked=True)

# Some 30 MB. What a training step asks again was asked in the same step, or in the last few.
MOST_REMEMBERED = 100_000

# Responses whose evidence is being selected in threads: more would only keep them from what is ready to be asked.
SELECTING = 2
# The same in worker processes, which have queues of their own.
SELECTING_IN_WORKERS = 256
# Seconds that one response may take in a worker. A megabyte of text takes less.
TIME_LIMIT = 5.0


class Evidence:
    """Selects, and remembers what was decided about each piece of evidence and fact.

    Belongs to one judge: what is remembered is its verdicts. A verdict about evidence depends on nothing else, so
    remembering it changes no score. With a pool, selecting is work for its processes; it takes milliseconds a response.
    """

    def __init__(
        self,
        select: Select = selection.select,
        *,
        pool: WorkerPool | None = None,
        most_remembered: int = MOST_REMEMBERED,
    ) -> None:
        self._select = select
        self._pool = pool
        self.at_once = SELECTING if pool is None else SELECTING_IN_WORKERS
        self._most_remembered = most_remembered
        self._remembered: OrderedDict[Key, Verdict] = OrderedDict()

    @property
    def identity(self) -> dict[str, object]:
        """What of it can change a verdict, for the fingerprint."""
        return {"selection": selection.VERSION}

    async def of(self, task: JudgeTask, deadline: float) -> list[str] | Missing:
        """For each fact of `task` the text that can bear on it; empty where nothing does."""
        if self._pool is None:
            return await asyncio.to_thread(texts_of, (self._select, task))
        mapped = self._pool.map(texts_of, [(self._select, task)], deadline=deadline, time_limit=TIME_LIMIT)
        async with aclosing(mapped) as results:
            async for _, found in results:
                if isinstance(found, TimedOut):
                    return Missing("judge_timeout")
                return Missing("judge_unavailable") if isinstance(found, Crashed) else found
        return Missing("judge_unavailable")

    def key(self, text: str, fact: Fact) -> Key:
        # The length keeps the two texts from borrowing each other's characters.
        content = f"{len(text)},{text}{fact.text}".encode("utf-8", "surrogatepass")
        return blake2b(content, digest_size=16).digest()

    def recall(self, key: Key) -> Verdict | None:
        verdict = self._remembered.get(key)
        if verdict is not None:
            self._remembered.move_to_end(key)
        return verdict

    def remember(self, key: Key, verdict: Verdict) -> None:
        """The one unused for longest is forgotten when there are too many."""
        self._remembered[key] = verdict
        self._remembered.move_to_end(key)
        if len(self._remembered) > self._most_remembered:
            self._remembered.popitem(last=False)


def texts_of(work: tuple[Select, JudgeTask]) -> list[str]:
    """For each fact of the task the text that can bear on it. Takes CPU time; runs in threads and in workers."""
    select, task = work
    # A hidden character inside a name would hide the sentence from the selection.
    response = sanitise.inert(task.response)
    return [select(response, fact).strip() for fact in task.facts]


class EvidenceBatch:
    """The tasks of one batch, in which each piece of evidence and fact is decided about once, but for tasks `anew`.

    decide: what the model says of a task's facts, by `deadline` (event-loop time); never raises for a failure.
    """

    def __init__(self, evidence: Evidence, decide: Decide, deadline: float) -> None:
        self._evidence = evidence
        self._decide = decide
        self._deadline = deadline
        self._selecting = asyncio.Semaphore(evidence.at_once)
        self._asked: _Asked = {}

    async def outcomes(self, task: JudgeTask) -> tuple[Outcome, ...]:
        """One per fact of `task`, by the deadline."""
        try:
            async with asyncio.timeout_at(self._deadline), self._selecting:
                texts = await self._evidence.of(task, self._deadline)
        except TimeoutError:
            texts = Missing("judge_timeout")
        if isinstance(texts, Missing):
            return (texts,) * len(task.facts)
        asked = self._asked if not task.anew else {}
        keys = [self._evidence.key(text, fact) for text, fact in zip(texts, task.facts, strict=True)]
        new: dict[str, dict[Key, Fact]] = {}
        for key, text, fact in zip(keys, texts, task.facts, strict=True):
            if key in asked:
                continue
            asked[key] = asyncio.get_running_loop().create_future()
            if (verdict := self._known(key, text, task.anew)) is not None:
                asked[key].set_result(verdict)
            else:
                new.setdefault(text, {})[key] = fact
        await asyncio.gather(*(self._ask(replace(task, response=text), facts, asked) for text, facts in new.items()))
        # What another task asks is there by the deadline too, as missing if need be.
        return tuple([await asked[key] for key in keys])

    def _known(self, key: Key, text: str, anew: bool) -> Verdict | None:
        """The verdict where nothing need be asked."""
        if not text:
            return ABSENT
        return None if anew else self._evidence.recall(key)

    async def _ask(self, task: JudgeTask, facts: dict[Key, Fact], asked: _Asked) -> None:
        outcomes = await self._decide(replace(task, facts=tuple(facts.values())))
        for key, outcome in zip(facts, outcomes, strict=True):
            asked[key].set_result(outcome)
            if isinstance(outcome, Verdict):
                self._evidence.remember(key, outcome)

"""Evidence instead of the whole response: a judge reads the sentences that can bear on a fact, and only those.

Prompts shrink, and they repeat across rollouts: what is asked again is remembered. Evidence without the fact's names is
none, and evidence without its numbers cannot state it (`grounding`), whatever a model says.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import TypeAlias

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.calibration import share_contradicted
from perception_reward.service.judges.llm import grounding, sanitise, selection
from perception_reward.service.judges.llm.grounding import Grounds
from perception_reward.service.judges.sources import LANGUAGE, fingerprint_of
from perception_reward.service.processes.outcomes import Crashed, TimedOut, Unavailable
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.trainer_client.wire import Fact

Key: TypeAlias = bytes
Select: TypeAlias = Callable[[str, Fact], str]
Ground: TypeAlias = Callable[[str, str], Grounds]
Decide: TypeAlias = Callable[[JudgeTask], Awaitable[tuple[Outcome, ...]]]
_Asked: TypeAlias = "dict[Key, asyncio.Future[Outcome]]"

# A fact that nothing in the response can bear on.
ABSENT = Verdict("absent", 0.0, contradiction=0.0, stage="evidence")

# Of the probability of `stated`, what is left to evidence without the fact's numbers: some are written in ways that the
# rule does not know.
LEFT_UNGROUNDED = 0.02

# Some 300 bytes each: an eighth of the memory that the cache may take. What a training step asks again was asked in the
# same step, or in the last few.
REMEMBERED_A_MIB = 400

# Responses whose evidence is being selected in threads: more would only keep them from what is ready to be asked.
SELECTING = 2
# The same in worker processes, which have queues of their own.
SELECTING_IN_WORKERS = 256
# Seconds that one response may take in a worker. A megabyte of text takes less.
TIME_LIMIT = 5.0


class Evidence:
    """Selects, and remembers what was decided about each piece of evidence and fact.

    select: what of a response is shown for a fact; None shows all of it. grounds: what the text shown holds of the
    fact; None takes the model's word, whatever it holds. `shown`: for each fact of a task what a model is shown.

    Belongs to one judge: what is remembered is its verdicts. A verdict about evidence depends on nothing else, so
    remembering it changes no score. With a pool, selecting is work for its processes; it takes milliseconds a response.
    """

    def __init__(
        self,
        select: Select | None = selection.select,
        grounds: Ground | None = grounding.grounds,
        *,
        pool: WorkerPool | None = None,
        most_remembered: int = 256 * REMEMBERED_A_MIB,
    ) -> None:
        self._selects, self._grounds = select is not None, grounds is not None
        self.shown = partial(shown_of, select or whole, grounds or ungated)
        self._pool = pool
        self.at_once = SELECTING if pool is None else SELECTING_IN_WORKERS
        self._most_remembered = most_remembered
        self._remembered: OrderedDict[Key, Verdict] = OrderedDict()

    @property
    def identity(self) -> dict[str, object]:
        """What of it can change a verdict, for the fingerprint."""
        return {
            "selection": selection.VERSION if self._selects else None,
            "grounding": [grounding.VERSION, LEFT_UNGROUNDED] if self._grounds else None,
            "language": fingerprint_of(LANGUAGE),
        }

    async def of(self, task: JudgeTask, deadline: float) -> list[Shown] | Missing:
        """For each fact of `task` what can bear on it."""
        if self._pool is None:
            return await asyncio.to_thread(self.shown, task)
        mapped = self._pool.map(self.shown, [task], deadline=deadline, time_limit=TIME_LIMIT)
        async with aclosing(mapped) as results:
            async for _, found in results:
                if isinstance(found, TimedOut):
                    return Missing("judge_timeout")
                return Missing("judge_unavailable") if isinstance(found, (Crashed, Unavailable)) else found
        return Missing("judge_unavailable")

    def key(self, text: str, fact: Fact) -> Key:
        # The length keeps the two texts from borrowing each other's characters.
        content = f"{len(text)},{text}{fact.identity}".encode("utf-8", "surrogatepass")
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


@dataclass(frozen=True, slots=True)
class Shown:
    """text: what a model reads for a fact; empty where nothing bears on it. grounded: whether it can state the fact."""

    text: str
    grounded: bool


def whole(response: str, fact: Fact) -> str:
    """All of it."""
    return response


def ungated(text: str, fact: str) -> Grounds:
    """Any text can state any fact."""
    return Grounds.ALL


def shown_of(select: Select, grounds: Ground, task: JudgeTask) -> list[Shown]:
    """For each fact of the task what can bear on it. Takes CPU time; runs in threads and in workers."""
    # A hidden character inside a name would hide the sentence from the selection.
    response = sanitise.inert(task.response)
    return [_shown(select(response, fact).strip(), fact, grounds) for fact in task.facts]


def _shown(text: str, fact: Fact, grounds: Ground) -> Shown:
    found = grounds(text, fact.text)
    return Shown(text if found is not Grounds.NOTHING else "", found is Grounds.ALL)


def ungrounded(verdict: Verdict) -> Verdict:
    """What a model's verdict is worth where the evidence cannot state the fact."""
    stated = verdict.probability * LEFT_UNGROUNDED
    if verdict.contradiction is None:
        label = verdict.label if verdict.label != "stated" else "absent"
        return replace(verdict, label=label, probability=stated, certainty=1.0 - stated)
    share = share_contradicted(verdict.probability, verdict.contradiction)
    contradiction = (1.0 - stated) * share
    label = "contradicted" if share > 0.5 else "absent"
    certainty = max(contradiction, 1.0 - stated - contradiction)
    return replace(verdict, label=label, probability=stated, certainty=certainty, contradiction=contradiction)


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
                shown = await self._evidence.of(task, self._deadline)
        except TimeoutError:
            shown = Missing("judge_timeout")
        if isinstance(shown, Missing):
            return (shown,) * len(task.facts)
        asked = self._asked if not task.anew else {}
        keys = [self._evidence.key(one.text, fact) for one, fact in zip(shown, task.facts, strict=True)]
        new: dict[str, dict[Key, tuple[Fact, Shown]]] = {}
        for key, one, fact in zip(keys, shown, task.facts, strict=True):
            if key in asked:
                continue
            asked[key] = asyncio.get_running_loop().create_future()
            if (verdict := self._known(key, one.text, task.anew)) is not None:
                asked[key].set_result(verdict)
            else:
                new.setdefault(one.text, {})[key] = (fact, one)
        await asyncio.gather(*(self._ask(replace(task, response=text), facts, asked) for text, facts in new.items()))
        # What another task asks is there by the deadline too, as missing if need be.
        return tuple([await asked[key] for key in keys])

    def _known(self, key: Key, text: str, anew: bool) -> Verdict | None:
        """The verdict where nothing need be asked."""
        if not text:
            return ABSENT
        return None if anew else self._evidence.recall(key)

    async def _ask(self, task: JudgeTask, new: dict[Key, tuple[Fact, Shown]], asked: _Asked) -> None:
        outcomes = await self._decide(replace(task, facts=tuple(fact for fact, _ in new.values())))
        for (key, (_, shown)), outcome in zip(new.items(), outcomes, strict=True):
            if isinstance(outcome, Verdict) and not shown.grounded:
                outcome = ungrounded(outcome)
            asked[key].set_result(outcome)
            if isinstance(outcome, Verdict):
                self._evidence.remember(key, outcome)

"""The cascade: the symbolic judge reads everything first, and a language model is asked about what is left. What the
model says is pooled with what the rules made of it (`pooling`).

A verdict depends on the fact and the response alone: which stage decides is settled by what the rules say and how sure
they are, never by load. Where the model gives no answer its facts are missing; what the rules decided stands.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Final, TypeAlias

from perception_reward.service.judges.base import Health, Judge, JudgeInfo, JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.calibrated import MARK
from perception_reward.service.judges.cascade.checks import (
    CascadeObserver,
    Checks,
    Stage,
    Thresholds,
    Unobserved,
    decides,
    packaged,
)
from perception_reward.service.judges.cascade.pooling import pooled
from perception_reward.service.judges.sources import fingerprint_of
from perception_reward.service.judges.symbolic.kinds import kind_of
from perception_reward.service.judges.trace import shown_by
from perception_reward.service.streams import merge
from perception_reward.trainer_client.wire import Fact

# Batches at the model at once. While one is there, what the rules leave over gathers for the next; a few at a time,
# so that one slow response holds up only its own batch.
LANES: Final = 4


@dataclass(frozen=True, slots=True)
class _Open:
    """A task of which the rules left something over: None in `outcomes`, and in `leaning` what they said of it.

    calibrated: whether the model's probabilities are."""

    index: int
    task: JudgeTask
    outcomes: tuple[Outcome | None, ...]
    leaning: tuple[Verdict, ...]
    calibrated: bool

    @property
    def left(self) -> JudgeTask:
        """What the model is asked."""
        pairs = zip(self.task.facts, self.outcomes, strict=True)
        return replace(self.task, facts=tuple(fact for fact, outcome in pairs if outcome is None))

    def completed(self, answers: Sequence[Outcome]) -> tuple[Outcome, ...]:
        following = iter(
            pooled(rules, answer, kind_of(fact.text), calibrated=self.calibrated)
            if isinstance(answer, Verdict)
            else answer
            for rules, answer, fact in zip(self.leaning, answers, self.left.facts, strict=True)
        )
        return tuple(next(following) if outcome is None else outcome for outcome in self.outcomes)


_Left: TypeAlias = "asyncio.Queue[_Open | None]"
_Decided: TypeAlias = tuple[int, tuple[Outcome, ...]]


class CascadeJudge:
    """A `Judge` made of two: `rules`, the symbolic judge, and `model`, which answers for what they are unsure of.

    A model that decides a response's facts together is asked only those left over, together: which these are
    depends on the response and its facts alone, so the cascade then decides them together as well.

    check: the share of the facts decided by rules about which the model is asked too, in the background, to count
    how often the two agree.
    """

    def __init__(
        self,
        rules: Judge,
        model: Judge,
        *,
        thresholds: Thresholds | None = None,
        check: float = 0.0,
        observer: CascadeObserver | None = None,
    ) -> None:
        self._rules = rules
        self._model = model
        self._thresholds = packaged() if thresholds is None else thresholds
        self._observer = observer or Unobserved()
        self.checks = Checks(model, check, self._observer)

    @property
    def info(self) -> JudgeInfo:
        """The fingerprint is final after `start`, as the model's is."""
        rules, model = self._rules.info, self._model.info
        thresholds = json.dumps({kind: dict(least) for kind, least in self._thresholds.items()}, sort_keys=True)
        return JudgeInfo(
            "cascade", model.model, model.method, _fingerprint(rules.fingerprint, model.fingerprint, thresholds)
        )

    @property
    def together(self) -> bool:
        return self._model.together

    async def judge(self, tasks: Sequence[JudgeTask], deadline: float) -> AsyncGenerator[_Decided]:
        left: _Left = asyncio.Queue()
        lanes = [self._ask(left, deadline) for _ in range(LANES)]
        async with aclosing(merge(self._read(tasks, left, deadline), *lanes)) as decided:
            async for index, outcomes in decided:
                yield index, outcomes

    async def _read(self, tasks: Sequence[JudgeTask], left: _Left, deadline: float) -> AsyncGenerator[_Decided]:
        """Yield the tasks that the rules decide whole; the others go to `left`, and None when there are no more."""
        async with aclosing(self._rules.judge(tasks, deadline)) as read:
            async for index, outcomes in read:
                task = tasks[index]
                kept = tuple(
                    outcome if self._stands(fact, outcome) else None
                    for fact, outcome in zip(task.facts, outcomes, strict=True)
                )
                self._tell(task, kept)
                whole = tuple(outcome for outcome in kept if outcome is not None)
                if len(whole) == len(kept):
                    yield index, whole
                else:
                    said = zip(outcomes, kept, strict=True)
                    leaning = tuple(
                        outcome for outcome, stands in said if stands is None and isinstance(outcome, Verdict)
                    )
                    left.put_nowait(_Open(index, task, kept, leaning, MARK in self._model.info.fingerprint))
        left.put_nowait(None)

    def _stands(self, fact: Fact, outcome: Outcome) -> bool:
        # A reader that was cut off is no reason to ask the model: under load the same response would be decided
        # now by one stage and now by the other.
        return isinstance(outcome, Missing) or decides(self._thresholds, kind_of(fact.text), outcome)

    async def _ask(self, left: _Left, deadline: float) -> AsyncGenerator[_Decided]:
        """One lane: take all that has gathered, ask the model, and yield each task whole."""
        while batch := await _gathered(left):
            async with aclosing(self._model.judge([one.left for one in batch], deadline)) as judged:
                async for at, answers in judged:
                    asked = batch[at].left.facts
                    self._count(
                        ("none" if isinstance(answer, Missing) else "model", kind_of(fact.text))
                        for fact, answer in zip(asked, answers, strict=True)
                    )
                    yield batch[at].index, batch[at].completed(answers)

    def _tell(self, task: JudgeTask, kept: Sequence[Outcome | None]) -> None:
        pairs = list(zip(task.facts, kept, strict=True))
        self._count(
            ("none" if isinstance(outcome, Missing) else "rules", kind_of(fact.text))
            for fact, outcome in pairs
            if outcome is not None
        )
        self.checks.consider(task, [(fact, outcome) for fact, outcome in pairs if isinstance(outcome, Verdict)])

    def _count(self, decided: Iterable[tuple[Stage, str]]) -> None:
        for (stage, kind), facts in Counter(decided).items():
            self._observer.cascaded(stage, kind, facts)

    async def shown(self, task: JudgeTask, deadline: float) -> Sequence[str | None]:
        """What the model is shown, where it is asked."""
        return await shown_by(self._model, task, deadline)

    async def health(self) -> Health:
        """The model's: without it most responses would have a fact missing."""
        return await self._model.health()

    async def start(self) -> None:
        await self._rules.start()
        await self._model.start()

    async def aclose(self) -> None:
        await self.checks.aclose()
        await self._model.aclose()
        await self._rules.aclose()


async def _gathered(left: _Left) -> list[_Open]:
    """All that waits, at least one; empty once there is no more to come."""
    found = [await left.get()]
    while not left.empty():
        found.append(left.get_nowait())
    if found[-1] is None:
        # The other lanes are to see it as well.
        left.put_nowait(None)
    return [one for one in found if one is not None]


@lru_cache(maxsize=16)
def _fingerprint(*parts: str) -> str:
    """`cascade/` and 16 hexadecimal digits over both judges, the thresholds, and the source of this package."""
    source = fingerprint_of(__package__ or "")
    return f"cascade/{blake2b(json.dumps([source, *parts]).encode(), digest_size=8).hexdigest()}"

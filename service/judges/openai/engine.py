"""The engine that is one or more vLLM servers: asks become HTTP requests, which the pool carries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from perception_reward.service.judges.base import Health
from perception_reward.service.judges.http import health
from perception_reward.service.judges.http.body import Answer, Call, Refused, decoded
from perception_reward.service.judges.http.pool import EndpointPool
from perception_reward.service.judges.llm.distribution import NOTHING, TOP_LOGPROBS, believed, telling
from perception_reward.service.judges.llm.engine import Choice, JudgeFailure, LogProbs, Writing, Written
from perception_reward.service.judges.openai import completions, scoring

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Bodies above this are read in a thread; below, the change of threads costs more.
READ_HERE = 1 << 16

# What a server answers for a path that it does not have.
NOT_OFFERED = frozenset({404, 405, 501})


class OpenAIEngine:
    """Implements `Engine`. `model` is the name under which the endpoints serve it.

    One request of `/v1/completions` answers for all suffixes. vLLM before 0.32 returns only the 20 likeliest tokens
    there; an answer that is not among them is asked of `/generative_scoring`, where there is one.
    """

    name = "openai"
    # How the servers run the model is not known here.
    identity: Mapping[str, object] = MappingProxyType({})

    def __init__(self, pool: EndpointPool, model: str) -> None:
        self._pool = pool
        self.model = model
        # Until a server says otherwise: those to which it matters are asked for what their completions lack.
        self._scores = True

    @property
    def capacity(self) -> int:
        return self._pool.capacity

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        call = await asyncio.to_thread(completions.choosing, self.model, choice)
        answer, found = await self._ask(call, affinity, deadline, lambda reply: _chosen(reply, choice))
        lacking = [answer for answer in choice.answers if any(each and answer not in each for each in found)]
        if lacking and self._scores:
            found = await self._filled_in(found, lacking, choice, affinity, deadline)
        found = believed(found, choice.answers)
        if not all(found):
            self._pool.unusable(answer.endpoint, "content", "it does not say how likely each of the answers is")
        return found

    async def _ask(self, call: Call, affinity: str, deadline: float, reader: Callable[[object], T]) -> tuple[Answer, T]:
        """An answer, and what `reader` finds in it. One that holds nothing of what was asked for is the fault of its
        server: another is asked, where there is one."""
        tries = len(self._pool.endpoints)
        while True:
            answer = await self._pool.post(call, affinity, deadline)
            try:
                return answer, await self._read(answer, reader)
            except JudgeFailure:
                tries -= 1
                if tries == 0 or not self._pool.leave(answer.endpoint):
                    raise

    async def _read(self, answer: Answer, reader: Callable[[object], T]) -> T:
        """What `reader` finds in the JSON of an answer; nothing it holds keeps the event loop for long."""

        def read() -> T:
            return reader(decoded(answer.body))

        try:
            return read() if len(answer.body) <= READ_HERE else await asyncio.to_thread(read)
        except JudgeFailure as failure:
            self._pool.unusable(answer.endpoint, "content", failure.detail)
            raise

    async def _filled_in(
        self, found: tuple[LogProbs, ...], lacking: list[int], choice: Choice, affinity: str, deadline: float
    ) -> tuple[LogProbs, ...]:
        """What an older server's likeliest tokens lack, one request per answer; `found` where it offers no scoring."""
        whole = [dict(each) for each in found]
        for answer in lacking:
            call = await asyncio.to_thread(scoring.scoring, self.model, choice, answer)
            try:
                scored = await self._pool.post(call, affinity, deadline)
            except Refused as refusal:
                if refusal.status not in NOT_OFFERED:
                    raise
                self._tell_once()
                return found
            values = await self._read(scored, lambda reply: scoring.scores(reply, choice))
            for each, value in zip(whole, values, strict=True):
                if each:
                    each.setdefault(answer, value)
        return tuple(whole)

    def _tell_once(self) -> None:
        if self._scores:
            logger.warning(
                "a judge server returns the %d likeliest tokens alone and offers no /generative_scoring: answers "
                "outside these count as 0; serve the model with vLLM 0.32 or later",
                TOP_LOGPROBS,
                extra={"model": self.model},
            )
        self._scores = False

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        call = await asyncio.to_thread(completions.writing, self.model, writing)
        _, written = await self._ask(call, affinity, deadline, lambda reply: _written(reply, writing))
        return written

    async def health(self) -> Health:
        return await health.check(self._pool.session, self._pool.endpoints, self.model)

    async def start(self) -> None:
        """Nothing to wait for: the servers need not be up yet."""

    async def aclose(self) -> None:
        await self._pool.aclose()


def _chosen(reply: object, choice: Choice) -> tuple[LogProbs, ...]:
    found = completions.chosen(reply, len(choice.suffixes))
    if not any(found):
        raise JudgeFailure("judge_unparseable", "it does not say how likely any of the answers is")
    return found


def _written(reply: object, writing: Writing) -> Written:
    written = completions.written(reply)
    if written is None:
        raise JudgeFailure(
            "judge_unparseable", "it holds no text, or log-probabilities that cannot be those of its text"
        )
    steps = (step if telling(step, writing.answers) else NOTHING for step in written.logprobs)
    return replace(written, logprobs=tuple(steps))

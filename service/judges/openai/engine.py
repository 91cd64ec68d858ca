"""The engine that is one or more vLLM servers: asks become HTTP requests, which the pool carries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import MappingProxyType

from perception_reward.service.judges.base import Health
from perception_reward.service.judges.llm.ask import Choice, LogProbs, Writing, Written
from perception_reward.service.judges.llm.failure import JudgeFailure
from perception_reward.service.judges.openai import completions, health, scoring
from perception_reward.service.judges.openai.call import Refused
from perception_reward.service.judges.openai.pool import EndpointPool

logger = logging.getLogger(__name__)

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
        reply = await self._pool.post(call, affinity, deadline)
        found = completions.chosen(reply, len(choice.suffixes))
        lacking = [answer for answer in choice.answers if any(each and answer not in each for each in found)]
        if lacking and self._scores:
            return await self._filled_in(found, lacking, choice, affinity, deadline)
        return found

    async def _filled_in(
        self, found: tuple[LogProbs, ...], lacking: list[int], choice: Choice, affinity: str, deadline: float
    ) -> tuple[LogProbs, ...]:
        """What an older server's likeliest tokens lack, one request per answer; `found` where it offers no scoring."""
        whole = [dict(each) for each in found]
        for answer in lacking:
            call = await asyncio.to_thread(scoring.scoring, self.model, choice, answer)
            try:
                reply = await self._pool.post(call, affinity, deadline)
            except Refused as refusal:
                if refusal.status not in NOT_OFFERED:
                    raise
                self._tell_once()
                return found
            for each, value in zip(whole, scoring.scores(reply, choice), strict=True):
                if each:
                    each.setdefault(answer, value)
        return tuple(whole)

    def _tell_once(self) -> None:
        if self._scores:
            logger.warning(
                "a judge server returns the %d likeliest tokens alone and offers no /generative_scoring: answers "
                "outside these count as 0; serve the model with vLLM 0.32 or later",
                completions.TOP_LOGPROBS,
                extra={"model": self.model},
            )
        self._scores = False

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

"""Asking the model, now and then, about what the rules have decided: only to count how often the two agree."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from perception_reward.service.judges.base import Judge, JudgeTask, Missing, Verdict
from perception_reward.service.judges.cascade.observer import CascadeObserver
from perception_reward.service.judges.symbolic.kinds import kind_of
from perception_reward.trainer_client.wire import Fact

logger = logging.getLogger(__name__)

# Comparisons wait for nobody, and nobody for them: past so many under way, further ones are skipped.
MOST_UNDER_WAY: Final = 16
# Seconds for the model to answer one of them.
TIME_LIMIT: Final = 60.0


class Checks:
    """Comparisons in the background. No verdict changes by them. Belongs to one event loop.

    share: of the facts that the rules decide, in [0, 1]. Drawn by content, so that every replica draws the same.
    """

    def __init__(self, model: Judge, share: float, observer: CascadeObserver) -> None:
        self._model = model
        self._share = share
        self._observer = observer
        self._under_way: set[asyncio.Task[None]] = set()

    def consider(self, task: JudgeTask, decided: Sequence[tuple[Fact, Verdict]]) -> None:
        """Compare those of `decided` that are drawn; returns at once."""
        drawn = [pair for pair in decided if self._draws(task.response, pair[0])] if self._share > 0 else []
        if not drawn:
            return
        if len(self._under_way) >= MOST_UNDER_WAY:
            for fact, _ in drawn:
                self._observer.compared(kind_of(fact.text), "skipped")
            return
        check = asyncio.create_task(self._compare(task, drawn))
        self._under_way.add(check)
        check.add_done_callback(self._under_way.discard)

    def _draws(self, response: str, fact: Fact) -> bool:
        content = f"{len(fact.identity)},{fact.identity}{response}".encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(content, digest_size=8).digest()) < self._share * 2**64

    async def _compare(self, task: JudgeTask, drawn: Sequence[tuple[Fact, Verdict]]) -> None:
        asked = replace(task, facts=tuple(fact for fact, _ in drawn))
        deadline = asyncio.get_running_loop().time() + TIME_LIMIT
        try:
            async with aclosing(self._model.judge([asked], deadline)) as judged:
                async for _, outcomes in judged:
                    for (fact, verdict), outcome in zip(drawn, outcomes, strict=True):
                        missing = isinstance(outcome, Missing)
                        same = "agreed" if not missing and outcome.label == verdict.label else "disagreed"
                        self._observer.compared(kind_of(fact.text), "missing" if missing else same)
        except Exception:
            # Nobody waits for this task: its error would be told when it is collected, or never.
            logger.exception("a comparison of the rules with the model failed")

    async def idle(self) -> None:
        """Wait until no comparison is under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def aclose(self) -> None:
        for check in self._under_way:
            check.cancel()
        await self.idle()

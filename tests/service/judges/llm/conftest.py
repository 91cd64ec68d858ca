"""An engine that answers as a test says, at once and without a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from perception_reward.service.judges.base import Health
from perception_reward.service.judges.llm.engine import Ask, Choice, LogProbs, Reply, Writing, Written

Answer = Callable[[Ask], Reply]


def first_answer(ask: Ask) -> Reply:
    """The first of the answer tokens, always; or nothing at all written."""
    if isinstance(ask, Choice):
        return tuple({token: -0.1 if token == ask.answers[0] else -9.0 for token in ask.answers} for _ in ask.suffixes)
    return Written("")


class ScriptedEngine:
    """Implements `Engine`; `answer` may raise."""

    name = "scripted"

    def __init__(self, model: str = "m", answer: Answer = first_answer, capacity: int = 64) -> None:
        self.model = model
        self.identity: dict[str, object] = {}
        self.capacity = capacity
        self.answer = answer
        self.asks: list[Ask] = []
        self.affinities: list[str] = []
        self.running = self.most_running = 0
        self.started = self.closed = False
        self.asked = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        reply = await self._reply(choice, affinity)
        assert isinstance(reply, tuple)
        return reply

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        reply = await self._reply(writing, affinity)
        assert isinstance(reply, Written)
        return reply

    async def _reply(self, ask: Ask, affinity: str) -> Reply:
        self.asks.append(ask)
        self.affinities.append(affinity)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.asked.set()
        try:
            await self.may_answer.wait()
            await asyncio.sleep(0)
            return self.answer(ask)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.running -= 1

    async def health(self) -> Health:
        return Health(True)

    async def start(self) -> None:
        self.started = True

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def scripted_engine() -> type[ScriptedEngine]:
    return ScriptedEngine

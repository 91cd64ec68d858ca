"""A real service in the test's event loop, with a judge that the test scripts."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from perception_reward.service.assembly import Service, assemble
from perception_reward.service.cli.running import listen
from perception_reward.service.judges.base import Health, JudgeInfo, JudgeTask, Outcome, Verdict
from perception_reward.service.rewards.grading import AccuracyGrader
from perception_reward.service.rewards.registry import registered
from perception_reward.service.scoring.scorer import Scorer
from perception_reward.service.server import address, make_server
from perception_reward.service.settings import load

Decide = Callable[[JudgeTask], Sequence[Outcome]]


class ScriptedJudge:
    """A judge that decides as the test says, and waits while the test says so."""

    def __init__(self, decide: Decide | None = None, together: bool = False) -> None:
        self.decide: Decide = decide or (lambda task: [Verdict("stated", 1.0) for _ in task.facts])
        self.together = together
        self.info = JudgeInfo("scripted", None, "script", "scripted/1")
        self.batches: list[list[JudgeTask]] = []
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.cancelled = asyncio.Event()
        self.healthy = True

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        self.batches.append(list(tasks))
        self.asked.set()
        try:
            await self.may_answer.wait()
            for index, task in enumerate(tasks):
                yield index, tuple(self.decide(task))
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def health(self) -> Health:
        return Health(self.healthy, "" if self.healthy else "it was told to be ill")

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


@dataclasses.dataclass
class Here:
    """A service in this event loop."""

    url: str
    service: Service
    judge: ScriptedJudge


@asynccontextmanager
async def serve_here(judge: ScriptedJudge | None = None, **overrides: object) -> AsyncIterator[Here]:
    """Serve on a free port, in this event loop, with a scripted judge."""
    judge = judge or ScriptedJudge()
    settings = load(**{"port": 0, "workers": 1, **overrides})
    assembled = assemble(settings, preload=())
    scorer = Scorer(
        store=assembled.store,
        cache=assembled.cache,
        judge=judge,
        grader=AccuracyGrader(assembled.pool),
        profiles=assembled.profiles,
        components=registered(),
        default_profile=settings.profile,
        max_response_chars=settings.max_response_chars,
        part=settings.judge_scope,
        observer=assembled.metrics,
    )
    service = dataclasses.replace(assembled, judge=judge, scorer=scorer)
    async with service.running():
        with listen(settings) as listener:
            server = make_server(service)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                yield Here(address(listener), service, judge)
            finally:
                server.should_exit = True
                await serving


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Any]]:
    """A factory of services in this event loop: `here = await serve(judge, setting=value)`."""
    async with AsyncExitStack() as stack:

        async def start(judge: ScriptedJudge | None = None, **overrides: object) -> Here:
            return await stack.enter_async_context(serve_here(judge, **overrides))

        yield start


@asynccontextmanager
async def counted_turns() -> AsyncIterator[Callable[[], int]]:
    taken = 0

    async def other() -> None:
        nonlocal taken
        while True:
            taken += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    try:
        yield lambda: taken
    finally:
        task.cancel()


@pytest.fixture
def turns() -> Any:
    """`async with turns() as taken`: `taken()` says how often something else has had its turn meanwhile."""
    return counted_turns


@pytest.fixture
def scripted_judge() -> type[ScriptedJudge]:
    return ScriptedJudge

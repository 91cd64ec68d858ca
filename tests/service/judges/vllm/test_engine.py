"""What becomes of an engine that hangs, without vLLM: an engine that answers only while its gate is open."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from perception_reward.service.judges.llm.engine import Choice, JudgeFailure
from perception_reward.service.judges.vllm import requests
from perception_reward.service.judges.vllm.engine import VLLMEngine

CHOICE = Choice(shared=(1, 2), suffixes=((3,),), answers=(7,))
# Seconds without a sign after which it is taken to hang. Nothing here waits for more than a few of them.
HANG = 0.2


async def _for_ever() -> None:
    await asyncio.Event().wait()


class GatedLLM:
    """The part of vLLM's AsyncLLM that is used. Its handler begins with the first request, as there."""

    errored = False
    model_config = SimpleNamespace(max_model_len=100)

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.output_handler: asyncio.Task[None] | None = None
        self.ended = False
        self.asked = 0
        self.logprobs = {7: -0.5}

    async def generate(self, prompt: Any, sampling_params: Any, request_id: str) -> AsyncGenerator[Any]:
        self._loop = asyncio.get_running_loop()
        if self.output_handler is None:
            self.output_handler = asyncio.create_task(_for_ever())
        self.asked += 1
        await self.gate.wait()
        step = {token: SimpleNamespace(logprob=value) for token, value in self.logprobs.items()}
        yield SimpleNamespace(outputs=[SimpleNamespace(logprobs=[step])], num_cached_tokens=0)

    def shutdown(self, timeout: float | None = None) -> None:
        self.ended = True
        if self.output_handler is not None:
            self._loop.call_soon_threadsafe(self.output_handler.cancel)


class Launches:
    """A launcher whose engines the test can look at."""

    def __init__(self) -> None:
        self.made: list[GatedLLM] = []
        self.more = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def launch(self) -> GatedLLM:
        self.made.append(GatedLLM())
        self._loop.call_soon_threadsafe(self.more.set)
        return self.made[-1]

    def give_up(self) -> None:
        """Launches at once."""

    def close(self) -> None:
        """Holds nothing."""


@pytest.fixture
async def started(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Callable[..., Any]]:
    """`await started(restart=True)`: an engine that answers, and its launches."""
    monkeypatch.setattr(requests, "one_token", tuple[int, ...])
    monkeypatch.setattr(requests, "prompt", tuple[int, ...])
    engines: list[VLLMEngine] = []

    async def start(**options: Any) -> tuple[VLLMEngine, Launches]:
        launches = Launches()
        engines.append(VLLMEngine("m", launches, **{"hang": HANG, **options}))  # pyright: ignore[reportArgumentType]
        await engines[-1].start()
        launches.more.clear()
        return engines[-1], launches

    yield start
    for engine in engines:
        await engine.aclose()


async def ask(engine: VLLMEngine, seconds: float) -> Any:
    return await engine.choose(CHOICE, "", asyncio.get_running_loop().time() + seconds)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_an_engine_that_hangs_is_ended_and_started_again(started: Callable[..., Any]):
    engine, launches = await started()
    (hung,) = launches.made
    hung.gate.clear()
    with pytest.raises(JudgeFailure) as failure:
        await ask(engine, 0.01)
    assert failure.value.reason == "judge_timeout"
    async with asyncio.timeout(60):
        await launches.more.wait()
    assert hung.ended
    await until(lambda: engine._llm is launches.made[-1])  # pyright: ignore[reportPrivateUsage]
    assert await ask(engine, 60) == ({7: -0.5},)
    assert (await engine.health()).ok
    assert len(launches.made) == 2


async def test_one_whose_asks_have_time_left_is_probed_and_found_to_hang(started: Callable[..., Any]):
    engine, launches = await started()
    launches.made[0].gate.clear()
    waiting = asyncio.create_task(ask(engine, 600))
    async with asyncio.timeout(60):
        await launches.more.wait()
    # The warming, the ask, and the probe.
    assert launches.made[0].asked == 3
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_one_that_answers_the_probe_was_only_slow(started: Callable[..., Any]):
    engine, launches = await started(hang=600)
    (slow,) = launches.made
    slow.gate.clear()
    with pytest.raises(JudgeFailure):
        await ask(engine, 0.01)
    assert (await engine.health()).ok, "not yet silent for long"
    await until(lambda: slow.asked == 3)
    slow.gate.set()
    await until(lambda: engine._silent_since is None)  # pyright: ignore[reportPrivateUsage]
    assert await ask(engine, 60) == ({7: -0.5},)
    assert not slow.ended
    assert len(launches.made) == 1


async def test_without_restarts_it_is_unready_and_left_to_come_back(started: Callable[..., Any]):
    engine, launches = await started(restart=False)
    (hung,) = launches.made
    hung.gate.clear()
    with pytest.raises(JudgeFailure):
        await ask(engine, 0.01)
    await until(lambda: engine._hangs(hung))  # pyright: ignore[reportPrivateUsage]
    await asyncio.sleep(2 * HANG)
    assert not hung.ended
    hung.gate.set()
    assert await ask(engine, 60) == ({7: -0.5},)
    assert (await engine.health()).ok
    assert len(launches.made) == 1


async def test_idle_engines_do_not_hang(started: Callable[..., Any]):
    engine, launches = await started()
    await ask(engine, 60)
    launches.made[0].gate.clear()
    await asyncio.sleep(3 * HANG)
    assert (await engine.health()).ok
    assert not launches.made[0].ended


@pytest.mark.parametrize("value", [math.nan, 0.5, math.inf])
async def test_log_probabilities_that_cannot_be_are_no_answer(
    started: Callable[..., Any], value: float, caplog: pytest.LogCaptureFixture
):
    engine, launches = await started()
    deadline = asyncio.get_running_loop().time() + 30
    launches.made[0].logprobs = {7: value, 9: -0.1}
    for _ in range(3):
        assert await engine.choose(Choice((1,), ((2,), (3,)), (7, 9)), "", deadline) == ({}, {})
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "cannot be those of its answers" in record.getMessage()

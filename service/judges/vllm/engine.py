"""The engine that is vLLM in the service: started with it, watched while it runs, started again when it dies.

All suffixes of a choice go to the engine at once: its scheduler takes them in order, and those behind the first find
the shared blocks that it allocated, even within one step (README.md beside this file has the measurement).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from perception_reward.service.backoff import Backoff
from perception_reward.service.judges.base import Health
from perception_reward.service.judges.llm.distribution import believed, possible
from perception_reward.service.judges.llm.engine import (
    Choice,
    JudgeFailure,
    JudgeObserver,
    LogProbs,
    Tokens,
    Unobserved,
    Writing,
    Written,
)
from perception_reward.service.judges.vllm import requests
from perception_reward.service.judges.vllm.launch import LLM, Launcher

logger = logging.getLogger(__name__)

# An engine takes tens of seconds to start; one that keeps dying gets a rest.
FIRST_REST, LONGEST_REST = 1.0, 120.0
# One that lived this long died of something new.
LONG_LIFE = 600.0

# Without an answer for anybody, and somebody's time run out: not slow any more, but hung.
LONGEST_SILENCE = 10.0
# A probe that has waited so long, and nobody was answered meanwhile: such an engine does not come back by itself. The
# probe is sent when somebody's time has run out, or when asks with more time have heard nothing for as long.
HANG = 120.0
# How often that is looked at, in one such time.
_LOOKS = 24

# What stands for a server's name where there is none.
IN_PROCESS = "in-process"

_NO_PROBABILITIES = "the engine gave log-probabilities that cannot be those of its answers"

# A first ask compiles and allocates what later ones use.
WARMING: Tokens = (1,) * 64
WARMING_SECONDS = 600.0


@dataclass(slots=True)
class PrefixUse:
    """Tokens of all prompts answered so far, and those of them that the prefix cache held."""

    tokens: int = 0
    cached: int = 0


class VLLMEngine:
    """Implements `Engine`.

    concurrency: responses whose asks are with vLLM at once, per batch; vLLM itself decides how many of them it
        computes together (`max_num_seqs`).
    restart: whether an engine that died, or hangs, is ended and started again.
    hang: seconds after which it is taken to hang, see `HANG`.
    identity: what can change an answer besides the model.
    """

    name = "vllm"

    def __init__(
        self,
        model: str,
        launcher: Launcher,
        *,
        concurrency: int = 64,
        restart: bool = True,
        hang: float = HANG,
        identity: Mapping[str, object] = MappingProxyType({}),
        observer: JudgeObserver | None = None,
    ) -> None:
        self.model = model
        self.identity = identity
        self.prefix = PrefixUse()
        self._launcher = launcher
        self._concurrency = concurrency
        self._restart = restart
        self._hang = hang
        self._observer = observer or Unobserved()
        self._llm: LLM | None = None
        self._fault = "the engine has not been started"
        self._watch: asyncio.Task[None] | None = None
        self._probe: asyncio.Task[None] | None = None
        self._probed_at = float("-inf")
        self._numbers = itertools.count()
        self._answered_at = float("-inf")
        self._waiting_since = float("-inf")
        self._silent_since: float | None = None
        self._inflight = 0
        self._complaints: set[str] = set()

    @property
    def capacity(self) -> int:
        return self._concurrency

    async def start(self) -> None:
        """Returns once the engine has answered. Raises ValueError for a model that cannot be served."""
        self._llm = await self._launched()
        self._watch = asyncio.create_task(self._keep_alive(self._llm))

    async def aclose(self) -> None:
        for task in (self._watch, self._probe):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._watch = self._probe = None
        if self._llm is not None:
            await _shut_down(self._llm)
        self._llm, self._fault = None, "the engine is stopped"
        await asyncio.to_thread(self._launcher.close)

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        llm = self._running()
        longest = max((len(suffix) for suffix in choice.suffixes), default=0)
        self._check_length(llm, len(choice.shared) + longest + 1)
        params = requests.one_token(choice.answers)
        prompts = [choice.shared + suffix for suffix in choice.suffixes]
        outputs = await self._outputs(llm, prompts, params, deadline)
        found = believed([requests.chosen(output, choice.answers) for output in outputs], choice.answers)
        if not all(found):
            self._unusable()
        return found

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        llm = self._running()
        self._check_length(llm, len(writing.prompt) + 1)
        (output,) = await self._outputs(llm, [writing.prompt], requests.text(writing), deadline)
        written = requests.written(output, writing.answers)
        if not all(map(possible, written.logprobs)):
            self._unusable()
            raise JudgeFailure("judge_unparseable", _NO_PROBABILITIES)
        return written

    async def health(self) -> Health:
        if self._llm is None or self._llm.errored:
            return Health(False, self._fault if self._llm is None else "the engine's process has ended")
        if self._silent_since is None:
            return Health(True)
        self._ask_for_a_sign(self._llm)
        seconds = asyncio.get_running_loop().time() - self._silent_since
        return Health(seconds < LONGEST_SILENCE, f"the engine has answered nothing for {seconds:.0f} s")

    async def _launched(self) -> LLM:
        launching = asyncio.ensure_future(asyncio.to_thread(self._launcher.launch))
        try:
            llm = await asyncio.shield(launching)
        except asyncio.CancelledError:
            while not launching.done():
                self._launcher.give_up()
                await asyncio.wait([launching], timeout=0.2)
            if launching.exception() is None:
                await _shut_down(launching.result())
            raise
        await self._warm(llm)
        return llm

    async def _warm(self, llm: LLM) -> None:
        try:
            async with asyncio.timeout(WARMING_SECONDS):
                await self._output(llm, WARMING, requests.one_token(WARMING[:1]))
        except BaseException as error:
            await _shut_down(llm)
            if isinstance(error, Exception):
                raise ValueError(f"the engine of {self.model!r} started, but does not answer: {error}") from error
            raise

    async def _keep_alive(self, llm: LLM) -> None:
        """Notice the engine's end, and start it again."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(FIRST_REST, LONGEST_REST)
        while True:
            born = loop.time()
            fault = await self._end_of(llm)
            self._llm, self._silent_since, self._fault = None, None, fault
            if self._probe is not None:
                self._probe.cancel()
            if self._restart:
                self._fault += "; it is being started again"
            logger.error("%s", self._fault, extra={"model": self.model})
            await _shut_down(llm)
            if not self._restart:
                return
            if loop.time() - born > LONG_LIFE:
                backoff.reset()
            self._llm = llm = await self._started_again(backoff)
            logger.info("the engine is running again", extra={"model": self.model})

    async def _end_of(self, llm: LLM) -> str:
        """What became of the engine, once it has died or, where it can be started again, hangs.

        Who still waits for one that hangs does so until the ask's own deadline.
        """
        while True:
            done, _ = await asyncio.wait([llm.output_handler], timeout=self._hang / _LOOKS)
            if done:
                return "the engine's process has ended"
            if self._hangs(llm) and self._restart:
                return "the engine hangs and is ended"

    def _hangs(self, llm: LLM) -> bool:
        now = asyncio.get_running_loop().time()
        if self._silent_since is None and self._inflight and now - self._waiting_since >= self._hang:
            self._silent_since = self._waiting_since
        if self._silent_since is None:
            return False
        self._ask_for_a_sign(llm)
        return now - self._probed_at >= self._hang

    def _ask_for_a_sign(self, llm: LLM) -> None:
        """An answer, whenever it comes, ends the silence."""
        if self._probe is None or self._probe.done():
            self._probed_at = asyncio.get_running_loop().time()
            self._probe = asyncio.create_task(self._probe_once(llm))

    async def _started_again(self, backoff: Backoff) -> LLM:
        while True:
            await asyncio.sleep(backoff.next())
            try:
                return await self._launched()
            except (ValueError, OSError) as error:
                self._fault = f"the engine died and does not start again: {error}"
                logger.error("%s", self._fault)

    def _running(self) -> LLM:
        if self._llm is None or self._llm.errored:
            raise JudgeFailure("judge_unavailable", self._fault)
        return self._llm

    def _check_length(self, llm: LLM, tokens: int) -> None:
        most: int = llm.model_config.max_model_len
        if tokens <= most:
            return
        detail = f"an ask of {tokens} tokens exceeds the engine's max_model_len of {most}"
        advice = "set --judge-engine-arg max_model_len=N, or show the judge less of a response (--max-response-chars)"
        self._complain("length", f"{detail}, so its verdicts are missing; {advice}")
        raise JudgeFailure("judge_unavailable", detail)

    def _unusable(self) -> None:
        self._observer.unusable(IN_PROCESS, "content")
        self._complain("unusable", f"{_NO_PROBABILITIES}, so its verdicts are missing")

    def _complain(self, kind: str, text: str) -> None:
        """One line of a kind: the same fault would otherwise be logged a thousand times a step."""
        if kind not in self._complaints:
            self._complaints.add(kind)
            logger.error("%s; more of the same are not logged", text)

    async def _outputs(self, llm: LLM, prompts: Sequence[Tokens], params: Any, deadline: float) -> list[Any]:
        """vLLM's final output for each prompt. What goes wrong is a JudgeFailure; cancelling takes all back."""
        loop = asyncio.get_running_loop()
        sent, ok = loop.time(), False
        self._count(1)
        jobs = [asyncio.create_task(self._output(llm, prompt, params)) for prompt in prompts]
        try:
            async with asyncio.timeout_at(deadline):
                outputs = await asyncio.gather(*jobs)
            ok = True
            return outputs
        except TimeoutError:
            raise JudgeFailure("judge_timeout", "the engine did not answer before the deadline") from None
        except Exception as error:
            detail = f"{type(error).__name__}: {error}"
            if not llm.errored:
                self._complain(type(error).__name__, f"the engine refuses an ask: {detail}")
            raise JudgeFailure("judge_unavailable", detail) from error
        finally:
            # Whoever asks may have the same deadline: then this ends as a cancellation, not as a timeout.
            unanswered = not ok and loop.time() >= deadline and self._answered_at < sent
            if unanswered and llm is self._llm and self._silent_since is None:
                self._silent_since = sent
            self._count(-1)
            self._observer.request(IN_PROCESS, loop.time() - sent, ok)
            # Last, because a second cancellation ends this wait, and with it whatever came after.
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def _output(self, llm: LLM, prompt: Tokens, params: Any) -> Any:
        final: Any = None
        async for output in llm.generate(requests.prompt(prompt), params, str(next(self._numbers))):
            final = output
        self.prefix.tokens += len(prompt)
        self.prefix.cached += final.num_cached_tokens or 0
        self._answered_at = self._waiting_since = asyncio.get_running_loop().time()
        self._silent_since = None
        return final

    async def _probe_once(self, llm: LLM) -> None:
        try:
            await self._output(llm, WARMING, requests.one_token(WARMING[:1]))
        except Exception as error:
            logger.warning("the engine does not answer: %s", error)

    def _count(self, change: int) -> None:
        if self._inflight == 0:
            self._waiting_since = asyncio.get_running_loop().time()
        self._inflight += change
        self._observer.inflight(self._inflight)


async def _shut_down(llm: LLM) -> None:
    # It joins processes, so not on the event loop, where the engine's tasks have to end meanwhile.
    try:
        await asyncio.to_thread(llm.shutdown)
    except Exception:
        # What is left of a dead engine must not keep the next one from starting.
        logger.exception("the engine was not shut down cleanly")
    if (handler := llm.output_handler) is not None:
        await asyncio.wait([handler], timeout=5.0)

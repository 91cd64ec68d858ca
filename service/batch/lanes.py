"""Lanes: processes that score chunks side by side, each with the parts of a service and an event loop of its own.

    async with lanes(settings, Setup(prefix=None, asking=Asking()), 4) as team:
        scored = await team.score(chunk)

A lane is `python -m perception_reward.service.batch.lane`: chunks come in at its standard input, what they came to
goes out at its standard output, both pickled. It ends when its input does, and so with whoever started it. A lane that
dies is replaced; its chunks are tried again in halves, until the one record is found that no lane survives.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from perception_reward.annotations.faults import LineError
from perception_reward.service.batch.chunks import Asking, Chunk, Scored, Tally
from perception_reward.service.settings import Settings, SettingsError

# Chunks that a lane has at once: while its worker finishes one, the next is being read.
AT_ONCE = 2
_LENGTH = struct.Struct("!Q")


@dataclass(frozen=True, slots=True)
class Setup:
    """What a lane is told at its start."""

    asking: Asking
    prefix: str | None = None


class LaneDied(RuntimeError):
    """A lane is gone, with the chunks that it had."""


class LaneFailed(OSError):
    """A lane could not start; the message says why."""


class Team:
    """Lanes that share the work. fingerprint: of their judge."""

    def __init__(self, settings: Settings, setup: Setup, count: int) -> None:
        share = {"workers": 1, "cache_mb": max(1, settings.cache_mb // count)}
        share["judge_concurrency"] = max(1, settings.judge_concurrency // count)
        self._told = (settings.model_copy(update=share), setup)
        self.count = count
        self._lanes: list[_Lane] = []
        self._mending = asyncio.Lock()
        self.fingerprint = ""

    async def start(self) -> None:
        """Raises `SettingsError` and `LaneFailed`."""
        started = [asyncio.ensure_future(_Lane.start(*self._told, first=not number)) for number in range(self.count)]
        found = await asyncio.gather(*started, return_exceptions=True)
        self._lanes = [lane for lane in found if isinstance(lane, _Lane)]
        if failures := [lane for lane in found if isinstance(lane, BaseException)]:
            await self.aclose()
            raise failures[0]
        self.fingerprint = self._lanes[0].fingerprint

    async def aclose(self) -> None:
        await asyncio.gather(*(lane.aclose() for lane in self._lanes))

    async def score(self, chunk: Chunk) -> Scored:
        """Raises `LaneFailed` where no lane can be started in the place of one that died."""
        try:
            return await self._least_busy().ask(chunk)
        except LaneDied:
            await self._replace_dead()
        if len(chunk.records) > 1:
            half = len(chunk.records) // 2
            parts = [replace(chunk, records=part) for part in (chunk.records[:half], chunk.records[half:])]
            # One after the other: a record that kills must not take its neighbours with it twice.
            return _joined([await self.score(part) for part in parts])
        try:
            return await self._least_busy().ask(chunk)
        except LaneDied:
            await self._replace_dead()
        place = chunk.records[0][0]
        fault = LineError(place, "", "ended two processes that tried to score it")
        return await self.score(replace(chunk, records=[(place, fault)]))

    def _least_busy(self) -> _Lane:
        return min(self._lanes, key=lambda lane: lane.busy)

    async def _replace_dead(self) -> None:
        async with self._mending:
            for number, lane in enumerate(self._lanes):
                if lane.dead:
                    self._lanes[number] = await _Lane.start(*self._told, first=False)
                    await lane.aclose()


@asynccontextmanager
async def lanes(settings: Settings, setup: Setup, count: int) -> AsyncGenerator[Team]:
    team = Team(settings, setup, count)
    await team.start()
    try:
        yield team
    finally:
        await team.aclose()


class _Lane:
    """One process, seen from outside."""

    def __init__(self, process: asyncio.subprocess.Process, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.dead = False
        self._process = process
        self._asked: dict[int, asyncio.Future[Scored]] = {}
        self._number = 0
        self._listening = asyncio.ensure_future(self._listen())

    @classmethod
    async def start(cls, settings: Settings, setup: Setup, *, first: bool) -> _Lane:
        # In a session of its own: a Ctrl-C in the terminal is for the command, which lets the lanes finish.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "perception_reward.service.batch.lane"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(framed((settings, setup, first)))
            kind, told = await received(process.stdout)
        except (EOFError, ConnectionError):
            kind, told = "failed", "a process to score in ended at its start"
        if kind == "ready":
            return cls(process, told)
        process.stdin.close()
        await process.wait()
        raise SettingsError(told) if kind == "settings" else LaneFailed(told)

    @property
    def busy(self) -> int:
        return len(self._asked)

    async def ask(self, chunk: Chunk) -> Scored:
        """Raises `LaneDied`."""
        if self.dead:
            raise LaneDied
        self._number += 1
        number, answer = self._number, asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(framed((number, chunk)))
            await self._process.stdin.drain()
            return await answer
        except ConnectionError:
            raise LaneDied from None
        finally:
            self._asked.pop(number, None)

    async def aclose(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                number, scored = await received(self._process.stdout)
                if (answer := self._asked.get(number)) is not None and not answer.done():
                    answer.set_result(scored)
        except (EOFError, ConnectionError):
            self.dead = True
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(LaneDied())


def _joined(parts: Sequence[Scored]) -> Scored:
    whole = Scored([], 0, Tally())
    for part in parts:
        for row in part.missing:
            if row["line"] is not None:
                row["line"] += whole.count
        whole.missing += part.missing
        whole.results += part.results
        whole.count += part.count
        whole.tally.merge(part.tally)
    return whole


def framed(message: object) -> bytes:
    """A message as the other side reads it."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


async def received(stream: asyncio.StreamReader) -> Any:
    """Raises `EOFError` where the other side is gone."""
    try:
        (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
        return pickle.loads(await stream.readexactly(length))
    except asyncio.IncompleteReadError:
        raise EOFError from None

"""A lane seen from inside: a process that scores the chunks which come in, and says what they came to.

    python -m perception_reward.service.batch.lane

`lanes` starts it and speaks with it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from perception_reward.annotations.store import StoreError
from perception_reward.service import logs
from perception_reward.service.assembly import assemble, preload_of
from perception_reward.service.batch.chunks import Asking, Chunk, score_chunk
from perception_reward.service.batch.lanes import framed, received
from perception_reward.service.batch.scorings import Scoring, ServiceScoring
from perception_reward.service.processes.handles import WorkersUnavailable
from perception_reward.service.settings import SettingsError


async def _work(out: int) -> None:
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), sys.stdin)
    turn = asyncio.Lock()

    async def say(message: object) -> None:
        async with turn:
            await asyncio.to_thread(_written, out, framed(message))

    settings, setup, first = await received(stream)
    logs.configure("warning" if first else "error", as_json=settings.log_json)
    try:
        service = assemble(settings, preload=preload_of(settings))
        async with service.running():
            await say(("ready", service.judge.info.fingerprint))
            scoring = ServiceScoring(service, setup.prefix, explain=setup.asking.explain)
            await _answer_all(stream, say, scoring, setup.asking)
    except SettingsError as error:
        await say(("settings", str(error)))
    except (StoreError, WorkersUnavailable, OSError) as error:
        await say(("failed", str(error)))


async def _answer_all(stream: asyncio.StreamReader, say: Any, scoring: Scoring, asking: Asking) -> None:
    async def answer(number: int, chunk: Chunk) -> None:
        await say((number, await score_chunk(chunk, asking, scoring)))

    async with asyncio.TaskGroup() as under_way:
        while True:
            try:
                number, chunk = await received(stream)
            except EOFError:
                # Nobody is there any more who would read an answer.
                raise SystemExit(0) from None
            under_way.create_task(answer(number, chunk))


def _written(out: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(out, view) :]


def main() -> None:
    # Answers alone go to standard output: what a library prints belongs to the errors.
    out = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(_work(out))


if __name__ == "__main__":
    main()

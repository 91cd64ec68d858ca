from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from perception_reward.trainer_client.sync import LoopThread

PATIENCE = 60.0


def test_an_error_reaches_the_thread_that_waits() -> None:
    async def fails() -> None:
        raise ValueError("told")

    thread = LoopThread()
    with pytest.raises(ValueError, match="told"):
        thread.run(fails())
    thread.stop()


def test_a_wait_on_its_own_loop_is_refused_and_not_begun_for_ever() -> None:
    thread = LoopThread()

    async def inner() -> None: ...

    async def outer() -> None:
        thread.run(inner())

    with pytest.raises(RuntimeError, match="own loop"):
        thread.run(outer())
    thread.stop()


def test_a_stop_ends_what_is_under_way_and_closes_what_was_opened() -> None:
    thread = LoopThread()
    begun, ended = threading.Event(), threading.Event()

    async def waits() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    def wait_for_it() -> None:
        with pytest.raises(CancelledError):
            thread.run(waits())

    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    begun.wait(PATIENCE)
    thread.stop()
    waiting.join(PATIENCE)
    assert ended.is_set()
    assert not waiting.is_alive()
    thread.stop()

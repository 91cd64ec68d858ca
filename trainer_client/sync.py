"""An event loop on a thread of its own: how callers without one, or inside one that they may not leave, wait."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# Seconds that a stop waits for the loop: connections close at once, or the process ends without.
STOP_PATIENCE = 5.0


class LoopThread:
    """A running event loop. Nothing of it survives a fork; `stop` in a forked child does nothing."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        # A daemon, so that an interpreter whose main thread is done is not held up by a request under way.
        self._thread = threading.Thread(target=self._run, name="perception-reward", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Its result, waited for by the calling thread; an interrupt there cancels it."""
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("the synchronous face was called on the client's own loop; await the coroutine there")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """End the loop, closing what was opened in it."""
        if os.getpid() != self._process or not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(STOP_PATIENCE)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._end()

    def _end(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

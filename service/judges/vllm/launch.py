"""Starting vLLM's engine: a process of its own, with worker processes of its own, spoken to over a socket.

`Launcher.launch` blocks, for minutes where a model is large: call it in a thread. vLLM allows that: what it does on
an event loop it does on that of the first request.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import AsyncGenerator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

from perception_reward.service.judges.vllm import faults, library, parent
from perception_reward.service.judges.vllm.arguments import UnknownArgument, check_names
from perception_reward.service.judges.vllm.logs import EngineLog

logger = logging.getLogger(__name__)

# What is better for a judge than vLLM's own defaults. What the user sets goes first.
_DEFAULTS: Mapping[str, object] = {"enable_prefix_caching": True, "disable_log_stats": True}
# A block that a response fills only in part is computed again for every fact. On a CPU vLLM takes blocks of 128
# tokens; 32 is the smallest multiple that its kernels like.
_CPU_DEFAULTS: Mapping[str, object] = {"block_size": 32}

# spawn: the service has threads, which a forked engine would inherit the locks of.
_ENVIRONMENT = {"VLLM_WORKER_MULTIPROC_METHOD": "spawn", "VLLM_NO_USAGE_STATS": "1"}


class LLM(Protocol):
    """The part of vLLM's AsyncLLM that is used here. Belongs to the event loop of its first request."""

    @property
    def errored(self) -> bool:
        """Whether its process has ended."""
        ...

    @property
    def output_handler(self) -> Any:
        """The task that ends when the engine does; None before the first request."""
        ...

    @property
    def model_config(self) -> Any: ...

    def generate(self, prompt: Any, sampling_params: Any, request_id: str) -> AsyncGenerator[Any]: ...

    def shutdown(self, timeout: float | None = None) -> None: ...


class Launcher:
    """Starts engines for one model, one after the other."""

    def __init__(self, model: str, tokenizer: str | None, arguments: Mapping[str, object]) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._arguments = arguments
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._log: EngineLog | None = None
        self._given_up = threading.Event()

    def launch(self) -> LLM:
        """A running engine. Raises ValueError, for people, where there can be none."""
        self._given_up.clear()
        log = self._prepared()
        mark = log.mark()
        try:
            return self._start()
        except UnknownArgument:
            raise
        except Exception as error:
            raise ValueError(faults.explained(self._model, error, log.first_error(mark))) from error

    def give_up(self) -> None:
        """End the launch that is under way in another thread; it fails soon. To be called until it has."""
        self._given_up.set()
        for process in multiprocessing.active_children():
            if process.name.startswith("EngineCore"):
                process.kill()

    def close(self) -> None:
        """Once no engine is started any more."""
        if self._log is not None:
            self._log.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = self._log = None

    def _prepared(self) -> EngineLog:
        if self._log is None:
            self._folder = tempfile.TemporaryDirectory(prefix="perception-reward-")
            self._log = EngineLog(Path(self._folder.name))
            for name, value in _ENVIRONMENT.items():
                os.environ.setdefault(name, value)
            os.environ[parent.MARK] = "1"
        return self._log

    def _start(self) -> LLM:
        factory = logging.getLogRecordFactory()
        # A signal to the terminal's group is for the service, which stops its engine itself. Spawned processes
        # inherit the mask.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        try:
            return self._engine()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            # vLLM's adds a field to every line that the service logs.
            logging.setLogRecordFactory(factory)

    def _engine(self) -> LLM:
        engine_args: Any = library.module("engine.arg_utils").AsyncEngineArgs
        check_names(self._arguments, {field.name for field in fields(engine_args)})
        on_cpu: bool = library.module("platforms").current_platform.is_cpu()
        defaults = {**_DEFAULTS, **(_CPU_DEFAULTS if on_cpu else {})}
        named = {"model": self._model, "tokenizer": self._tokenizer or self._model}
        args = engine_args(**{**defaults, **self._arguments, **named})
        if self._given_up.is_set():
            raise RuntimeError("given up")
        # As in batch use: larger steps, since nobody waits for a first token.
        usage = library.module("usage.usage_lib").UsageContext.LLM_CLASS
        return library.module("v1.engine.async_llm").AsyncLLM.from_engine_args(args, usage_context=usage)

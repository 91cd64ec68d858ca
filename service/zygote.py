"""The process that worker processes are forked from: single-threaded, with the modules they need imported.

Run as `python -m perception_reward.service.zygote FD`, FD being its end of a socket pair. `nursery.Nursery`
starts it and speaks with it in lines:

    pool to zygote   one pickled `Setup`, then `fork` (with a socket passed beside it) and `kill PID`
    zygote to pool   `ready`, or `failed TEXT`; then `exit PID STATUS` for each worker that ends

and with each worker over the passed socket, in frames: the worker's pid first, then one `Chunk` in, one
outcome out per payload. No process outlives the pool's: the zygote ends with its socket, the workers with it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import logging
import os
import pickle
import resource
import selectors
import signal
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, BinaryIO, TypeAlias

LENGTH = struct.Struct("!I")
PR_SET_PDEATHSIG = 1  # linux/prctl.h
DETAIL_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Setup:
    """What every worker starts with. `memory_mb` limits a worker's address space."""

    path: list[str]
    preload: tuple[str, ...]
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Payloads to call `function` with, one after the other.

    Each within `clock_limit` seconds by the clock and `cpu_limit` seconds of computing.
    """

    function: Callable[[Any], Any]
    payloads: list[Any]
    clock_limit: float
    cpu_limit: float


@dataclass(frozen=True, slots=True)
class Returned:
    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """`exhausted`: by a MemoryError. The worker then ends itself: its heap may be full of what it kept."""

    detail: str
    exhausted: bool = False


Outcome: TypeAlias = Returned | Raised


def frame(value: object) -> bytes:
    """A value as it travels: pickled, after its length."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(data)) + data


def read_frame(stream: BinaryIO) -> Any:
    """The next value. EOFError at the end of the stream."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    return pickle.loads(stream.read(LENGTH.unpack(head)[0]))


def main(descriptor: int) -> None:
    with socket.socket(fileno=descriptor) as control:
        logging.disable()  # what would be logged here is a response's text, or a library's advice to somebody else
        setup: Setup = read_frame(control.makefile("rb"))
        sys.path[:] = setup.path
        try:
            for module in setup.preload:
                importlib.import_module(module)
        except BaseException as error:
            control.sendall(f"failed {_describe(error)!r}\n".encode())
            return
        gc.collect()
        gc.freeze()  # what is shared with the workers is never written to by their collections
        control.sendall(b"ready\n")
        _Zygote(control, setup).run()


class _Zygote:
    """Forks, kills and reaps workers. Only a pid not yet reaped is signalled, so never a stranger's."""

    def __init__(self, control: socket.socket, setup: Setup) -> None:
        self._control = control
        self._setup = setup
        self._wakeup, self._woken = socket.socketpair()
        self._sockets: deque[int] = deque()
        self._children: set[int] = set()
        self._buffer = b""

    def run(self) -> None:
        self._wakeup.setblocking(False)
        self._woken.setblocking(False)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _note)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ, self._obey)
            selector.register(self._wakeup, selectors.EVENT_READ, self._reap)
            with suppress(EOFError, OSError):
                while True:
                    for key, _ in selector.select():
                        key.data()
        signal.set_wakeup_fd(-1)
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)

    def _obey(self) -> None:
        data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 64)
        if not data:
            raise EOFError
        self._sockets.extend(descriptors)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if line == b"fork":
                self._fork(self._sockets.popleft())
            elif (pid := int(line.removeprefix(b"kill "))) in self._children:
                os.kill(pid, signal.SIGKILL)

    def _fork(self, descriptor: int) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                self._become_worker(parent)
                work(socket.socket(fileno=descriptor))
                status = 0
            except (EOFError, OSError):
                status = 0  # the pool hung up
            finally:
                os._exit(status)
        os.close(descriptor)
        self._children.add(pid)

    def _become_worker(self, parent: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for inherited in (self._control, self._wakeup, self._woken):
            inherited.close()
        for waiting in self._sockets:
            os.close(waiting)
        _die_with(parent)
        limit = self._setup.memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            self._wakeup.recv(4096)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._children.discard(pid)
            self._control.sendall(f"exit {pid} {os.waitstatus_to_exitcode(status)}\n".encode())


def work(connection: socket.socket) -> None:
    """A worker's life: chunks in, outcomes out, until the pool hangs up or the memory limit was met.

    The limits are the kernel's: SIGALRM and SIGPROF, at their default, end the process even inside C code.
    """
    connection.sendall(frame(os.getpid()))
    stream = connection.makefile("rb")
    while True:
        chunk: Chunk = read_frame(stream)
        for payload in chunk.payloads:
            signal.setitimer(signal.ITIMER_REAL, chunk.clock_limit)
            signal.setitimer(signal.ITIMER_PROF, chunk.cpu_limit)
            outcome, answer = _call(chunk.function, payload)
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
            connection.sendall(answer)
            if isinstance(outcome, Raised) and outcome.exhausted:
                return


def _call(function: Callable[[Any], Any], payload: Any) -> tuple[Outcome, bytes]:
    try:
        outcome = Returned(function(payload))
        return outcome, frame(outcome)
    except BaseException as error:
        raised = Raised(_describe(error), exhausted=isinstance(error, MemoryError))
    return raised, frame(raised)


def _describe(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        text = "(no text)"
    return f"{type(error).__name__}: {text}"[:DETAIL_CHARACTERS]


def _die_with(parent: int) -> None:
    """Linux ends the worker with the zygote, however that ends. Elsewhere a worker ends at its next read."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _note(_number: int, _frame: FrameType | None) -> None:
    """A handler must exist for a signal to reach the wakeup descriptor."""


if __name__ == "__main__":
    # The pickled classes are those of the imported module, not of `__main__`.
    importlib.import_module("perception_reward.service.zygote").main(int(sys.argv[1]))

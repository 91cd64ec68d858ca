"""The process that worker processes are forked from: single-threaded, with the modules they need imported.

Run as `python -m perception_reward.service.processes.fork_server FD`, FD being its end of a socket pair.
`handles.ForkServer` starts it and speaks with it in lines:

    service to fork server   one pickled `Setup`, then `fork` (with a socket passed beside it) and `signal PID N`
    fork server to service   `ready NOTES`, or `failed TEXT`; then `PID STATUS` for each worker that ends

and the service with each worker over the passed socket: the worker's pid first (or a text, why there is none), then one
`Chunk` in, one outcome out per payload. No process outlives the service: the fork server ends with its socket, the
workers with it.

Not `multiprocessing.forkserver`, which was tried: its server is one for the whole process, so that whoever else uses it
there would be confined too, and it has the service's environment, keys included, in its memory and that of its workers;
these hold twice the memory (13 MB each, to 6), take ten times as long to start (30 ms) and outlive a service that is
killed; and starting one blocks the event loop for as long as a server that stands still is silent.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import logging
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from perception_reward.service.processes.messages import Setup, frame, read_frame
from perception_reward.service.processes.sandbox import confine, confine_worker
from perception_reward.service.processes.worker import describe, work

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(descriptor: int) -> None:
    with socket.socket(fileno=descriptor) as control:
        logging.disable()  # what would be logged here is a response's text, or a library's advice to somebody else
        setup: Setup = read_frame(control.makefile("rb"))
        sys.path[:] = setup.path
        try:
            for module in setup.preload:
                importlib.import_module(module)
        except BaseException as error:
            control.sendall(f"failed {describe(error)!r}\n".encode())
            return
        gc.collect()
        gc.freeze()  # what is shared with the workers is never written to by their collections
        server = _ForkServer(control, setup)
        notes = "; ".join(confine(setup.readable))
        with suppress(BrokenPipeError):  # the service has ended while this one was starting
            control.sendall(f"ready {notes!r}\n".encode())
            server.run()


class _ForkServer:
    """Forks, signals and reaps workers. Only a pid not yet reaped is signalled, so never a stranger's."""

    def __init__(self, control: socket.socket, setup: Setup) -> None:
        self._control = control
        self._setup = setup
        self._wakeup, self._woken = socket.socketpair()
        self._silence = os.open(os.devnull, os.O_WRONLY)
        self._children: set[int] = set()
        self._stopped: set[int] = set()
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
        data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 1)
        if not data:
            raise EOFError
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            match line.decode().split():
                case ["fork"]:
                    self._fork(descriptors)
                case ["signal", pid, number]:
                    self._signal(int(pid), int(number))
                case _:
                    raise EOFError

    def _signal(self, pid: int, number: int) -> None:
        if pid not in self._children:
            return
        if number == signal.SIGSTOP:
            self._stopped.add(pid)
        else:
            self._stopped.discard(pid)
        os.kill(pid, number)

    def _fork(self, descriptors: list[int]) -> None:
        """A worker with the socket that came with the order. Where no descriptor was free for it, the other end hears
        that it was closed."""
        parent = os.getpid()
        for descriptor in descriptors:
            with socket.socket(fileno=descriptor) as connection:
                try:
                    pid = os.fork()
                except OSError as error:
                    connection.sendall(frame(str(error)))
                    continue
                if pid == 0:
                    self._live(parent, connection)
                self._children.add(pid)

    def _live(self, parent: int, connection: socket.socket) -> NoReturn:
        status = 1
        try:
            self._become_worker(parent)
            work(connection)
            status = 0
        except (EOFError, OSError):
            status = 0  # the service hung up
        finally:
            os._exit(status)

    def _become_worker(self, parent: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for inherited in (self._control, self._wakeup, self._woken):
            inherited.close()
        os.dup2(self._silence, sys.stderr.fileno())  # a dying library prints what it was reading
        os.close(self._silence)
        _die_with(parent)
        confine_worker(self._setup.memory_mb)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            self._wakeup.recv(4096)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            if pid == 0:
                return
            if os.WIFSTOPPED(status):
                if pid not in self._stopped:
                    os.kill(pid, signal.SIGKILL)  # somebody else stopped it: its payload is to go elsewhere
                continue
            self._children.discard(pid)
            self._stopped.discard(pid)
            self._control.sendall(f"{pid} {os.waitstatus_to_exitcode(status)}\n".encode())


def _die_with(parent: int) -> None:
    """Linux ends the worker with the fork server, however that ends. Elsewhere a worker ends at its next read."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _note(_number: int, _frame: FrameType | None) -> None:
    """A handler must exist for a signal to reach the wakeup descriptor."""


if __name__ == "__main__":
    # The pickled classes are those of the imported module, not of `__main__`.
    importlib.import_module("perception_reward.service.processes.fork_server").main(int(sys.argv[1]))

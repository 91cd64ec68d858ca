"""The service's end of the fork server and of each worker."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from contextlib import ExitStack, suppress
from itertools import count
from typing import TypeVar

from perception_reward.service.processes.messages import LENGTH, Answer, Chunk, Outcome, Setup, frame, whole_frames
from perception_reward.service.processes.sandbox import clean_environment, code_folders

logger = logging.getLogger(__name__)

T = TypeVar("T")

READ_BYTES = 65536

# Of a worker's first payload not counted: it has to touch its memory, which it shared with the fork server until then.
COLD_SECONDS = 0.2

# The fork server imports what its workers need, on a machine that may be busy with a start of everything.
START_SECONDS = 120.0
# Forking takes milliseconds. A fork server that is silent for so long hangs, and is ended.
HIRE_SECONDS = 10.0
# The same for a worker that was killed: the fork server is to report its end.
END_SECONDS = 5.0


class WorkersUnavailable(Exception):
    """No worker could be started; the text says why."""


class Worker:
    """One worker process."""

    def __init__(
        self,
        server: ForkServer,
        pid: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        exited: asyncio.Future[int | None],
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._answers: deque[Answer] = deque()
        self._answered_at = 0.0
        self.pid = pid
        self.exited = exited
        # Seconds of computing that the last payload took.
        self.took = 0.0
        self.paused = False
        self.killed = False

    def send(self, chunk: Chunk) -> None:
        """What it is to do now: `next` returns one outcome for each payload, in order."""
        self._writer.write(frame(chunk))

    async def next(self, seconds: float) -> Outcome | None:
        """The next outcome; None where there is none within `seconds`. EOFError where the process has ended."""
        if not self._answers:
            try:
                async with asyncio.timeout(seconds):
                    await self._hear()
            except TimeoutError:
                return None
        answer = self._answers.popleft()
        self.took, self._answered_at = answer.computed - self._answered_at, answer.computed
        return answer.outcome

    async def _hear(self) -> None:
        while not self._answers:
            data = await self._read()
            if not data:
                raise EOFError
            self._buffer += data
            self._answers.extend(whole_frames(self._buffer))

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(READ_BYTES)
        except ConnectionError:
            return b""

    @property
    def ended(self) -> bool:
        """Whether the process is known to have ended."""
        return self.exited.done()

    async def exit_status(self) -> int | None:
        """0 or more: what it exited with. Negative: the signal. None: its fork server died, and it with it."""
        self.kill()
        return await asyncio.shield(self.exited)

    def kill(self) -> None:
        """Ends the process, also a paused one."""
        if not self.killed and not self.ended:
            self.killed = True
            self._server.signal(self.pid, signal.SIGKILL)
            self._server.expect_end(self)

    def pause(self) -> None:
        """The process stands still, with all that it has computed, until `resume`."""
        self.paused = True
        self._server.signal(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        self.paused = False
        self._server.signal(self.pid, signal.SIGCONT)

    @property
    def resident_mb(self) -> float:
        """What it holds of the machine's memory, in MiB; 0 where that cannot be known."""
        try:
            with open(f"/proc/{self.pid}/statm", "rb") as pages:
                return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
        except (OSError, ValueError, IndexError):
            return 0.0

    def watch(self) -> tuple[float, bool] | None:
        """Seconds of computing for which it has been at its payload, and whether it waits instead; None if unknown."""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as stat:
                # Its name, in brackets, may hold anything.
                state, *fields = stat.read().rpartition(b")")[2].split()
            computed = sum(map(int, fields[10:12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError):
            return None
        return max(0.0, computed - self._answered_at - (0.0 if self._answered_at else COLD_SECONDS)), state == b"S"

    async def aclose(self) -> None:
        self.kill()
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


class ForkServer:
    """Starts the fork server when the first worker is asked for, and another should it die or hang."""

    def __init__(self, preload: tuple[str, ...], memory_mb: int) -> None:
        self._preload = preload
        self._memory_mb = memory_mb
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._heard = b""
        self._tokens = count()
        self._forked: dict[str, asyncio.Future[int]] = {}
        self._exits: dict[int, asyncio.Future[int | None]] = {}
        self._notes = ""

    async def hire(self) -> Worker:
        """A new worker, ready to run. WorkersUnavailable if it does not come up. One at a time."""
        try:
            control = self._control
            if control is None:
                async with asyncio.timeout(START_SECONDS):
                    control = await self._start()
            async with asyncio.timeout(HIRE_SECONDS):
                return await self._fork(control)
        except TimeoutError:
            await self.aclose()
            raise WorkersUnavailable("the process that workers are forked from does not answer") from None
        except (OSError, EOFError) as error:
            raise WorkersUnavailable(f"a worker did not start: {error or type(error).__name__}") from error

    def signal(self, pid: int, number: int) -> None:
        """Signals a worker, by the one process that knows whether it still lives."""
        if self._control is not None and pid in self._exits:
            with suppress(OSError):
                self._control.send(f"signal {pid} {number}\n".encode())

    def expect_end(self, worker: Worker) -> None:
        """A fork server that does not report the end of a worker that was killed hangs: it is ended itself."""

        def look() -> None:
            if not worker.ended:
                logger.warning("the process that workers are forked from does not answer; it is started again")
                self._kill()

        look_later = asyncio.get_running_loop().call_later(END_SECONDS, look)
        worker.exited.add_done_callback(lambda _: look_later.cancel())

    async def aclose(self) -> None:
        """Ends the fork server, and the workers with it."""
        process = self._process
        self._lose()
        if process is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), END_SECONDS)
                return
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start(self) -> socket.socket:
        with ExitStack() as opened:
            ours, theirs = socket.socketpair()
            opened.enter_context(ours)
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "perception_reward.service.processes.fork_server",
                    str(theirs.fileno()),
                    pass_fds=(theirs.fileno(),),
                    stdin=DEVNULL,
                    stdout=DEVNULL,
                    env=clean_environment(os.environ),
                    # a terminal's Ctrl-C is for the service, which ends its workers itself
                    start_new_session=True,
                )
            ours.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(ours, frame(self._setup()))
            word, _, notes = (await _line(ours)).partition(" ")
            if word != "ready":
                raise WorkersUnavailable(f"workers could not be prepared: {notes or 'their fork server died'}")
            loop.add_reader(ours.fileno(), self._listen, ours)
            opened.pop_all()
        self._control, self._heard = ours, b""
        self._tell_once(notes)
        return ours

    def _setup(self) -> Setup:
        return Setup(sys.path, code_folders(), self._preload, self._memory_mb)

    async def _fork(self, control: socket.socket) -> Worker:
        token = str(next(self._tokens))
        forked = self._forked[token] = asyncio.get_running_loop().create_future()
        with ExitStack() as opened:
            opened.callback(self._forked.pop, token, None)
            ours, theirs = socket.socketpair()
            mine = opened.enter_context(ExitStack())
            mine.enter_context(ours)
            with theirs:
                socket.send_fds(control, [f"fork {token}\n".encode()], [theirs.fileno()])
            pid = await forked
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            mine.pop_all()
        worker = Worker(self, pid, reader, writer, self._exits.get(pid, _over()))
        try:
            # It says its pid when it is ready.
            await reader.readexactly(LENGTH.unpack(await reader.readexactly(LENGTH.size))[0])
        except BaseException:
            await worker.aclose()
            raise
        return worker

    def _listen(self, control: socket.socket) -> None:
        try:
            data = control.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            self._take(line.decode())

    def _take(self, line: str) -> None:
        word, key, text = line.split(" ", 2)
        if word == "exit":
            _settle(self._exits.pop(int(key), None), int(text))
            return
        forked = self._forked.get(key)
        if word == "forked":
            self._exits[int(text)] = asyncio.get_running_loop().create_future()
            _settle(forked, int(text))
        elif forked is not None and not forked.done():
            forked.set_exception(OSError(text))

    def _lose(self) -> None:
        """The fork server is gone, or to go, and its workers with it."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
        self._control = self._process = None
        for forked in self._forked.values():
            if not forked.done():
                forked.set_exception(OSError("the process that workers are forked from died"))
        for pid in tuple(self._exits):
            _settle(self._exits.pop(pid), None)

    def _kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    def _tell_once(self, notes: str) -> None:
        if notes and notes != self._notes:
            logger.debug("workers are not wholly confined: %s", notes)
        self._notes = notes


def _over() -> asyncio.Future[int | None]:
    exited: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    exited.set_result(None)
    return exited


def _settle(future: asyncio.Future[T] | None, value: T) -> None:
    if future is not None and not future.done():
        future.set_result(value)


async def _line(control: socket.socket) -> str:
    loop = asyncio.get_running_loop()
    heard = b""
    while not heard.endswith(b"\n"):
        data = await loop.sock_recv(control, READ_BYTES)
        if not data:
            break
        heard += data
    return heard.decode(errors="replace").strip()

"""The service's end of the fork server and of each worker."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from contextlib import ExitStack, suppress

from perception_reward.service.processes.messages import LENGTH, Answer, Chunk, Outcome, Setup, frame, whole_frames
from perception_reward.service.processes.sandbox import clean_environment, code_folders

logger = logging.getLogger(__name__)

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
        # Its socket, which files are passed by, and the writer that closes it.
        self._control: tuple[socket.socket, asyncio.StreamWriter] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._exits: dict[int, asyncio.Future[int | None]] = {}
        self._notes = ""

    async def hire(self) -> Worker:
        """A new worker, ready to run. WorkersUnavailable if it does not come up. One at a time."""
        try:
            if self._control is None:
                async with asyncio.timeout(START_SECONDS):
                    await self._start()
            async with asyncio.timeout(HIRE_SECONDS):
                return await self._fork()
        except TimeoutError:
            await self.aclose()
            raise WorkersUnavailable("the process that workers are forked from does not answer") from None
        except EOFError:
            raise WorkersUnavailable("a worker, or the process that workers are forked from, died at once") from None
        except OSError as error:
            raise WorkersUnavailable(f"a worker did not start: {error}") from error

    def signal(self, pid: int, number: int) -> None:
        """Signals a worker, by the one process that knows whether it still lives."""
        if self._control is not None and pid in self._exits:
            with suppress(OSError):
                self._control[0].send(f"signal {pid} {number}\n".encode())

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

    async def _start(self) -> None:
        with ExitStack() as opened:
            ours, theirs = socket.socketpair()
            opened.enter_context(ours)
            opened.enter_context(theirs)
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            opened.callback(writer.close)
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
            setup = Setup(sys.path, code_folders(), self._preload, self._memory_mb)
            writer.write(frame(setup))
            word, _, notes = (await reader.readline()).decode(errors="replace").strip().partition(" ")
            if word != "ready":
                raise WorkersUnavailable(f"workers could not be prepared: {notes or 'their fork server died'}")
            opened.pop_all()
        self._control, self._listener = (ours, writer), asyncio.create_task(self._listen(reader))
        self._tell_once(notes)

    async def _fork(self) -> Worker:
        if self._control is None:
            raise EOFError
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as failed:
            failed.callback(ours.close)
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            failed.callback(writer.close)
            socket.send_fds(self._control[0], [b"fork\n"], [theirs.fileno()])
            theirs.close()
            # It says its pid when it is ready, or its fork server why it is not.
            said = await reader.readexactly(LENGTH.unpack(await reader.readexactly(LENGTH.size))[0])
            if isinstance(pid := pickle.loads(said), str):
                raise OSError(pid)
            exited = self._exit_of(pid)
            exited.add_done_callback(lambda _: self._exits.pop(pid, None))
            failed.pop_all()
            return Worker(self, pid, reader, writer, exited)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hear of each worker's end, which may be told before its beginning was."""
        with suppress(OSError):
            async for line in reader:
                pid, status = map(int, line.split())
                _settle(self._exit_of(pid), status)
        self._lose()

    def _exit_of(self, pid: int) -> asyncio.Future[int | None]:
        return self._exits.setdefault(pid, asyncio.get_running_loop().create_future())

    def _lose(self) -> None:
        """The fork server is gone, or to go, and its workers with it."""
        if self._listener is not None:
            self._listener.cancel()
        if self._control is not None:
            self._control[1].close()
        self._control = self._process = self._listener = None
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


def _settle(exited: asyncio.Future[int | None], status: int | None) -> None:
    if not exited.done():
        exited.set_result(status)

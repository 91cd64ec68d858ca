"""Where workers come from: the pool's end of the zygote process and of each worker."""

from __future__ import annotations

import asyncio
import pickle
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

from perception_reward.service.zygote import LENGTH, Chunk, Outcome, Setup, frame

READ_BYTES = 65536


class WorkersUnavailable(Exception):
    """No worker could be started; the text says why."""


class Worker:
    """One worker process. `run` ends early when the process does; `exit_status` then says how."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        exited: asyncio.Future[int | None],
        kill: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._exited = exited
        self._buffer = bytearray()
        self.kill = kill

    async def run(self, chunk: Chunk) -> AsyncIterator[Outcome]:
        """One outcome for each payload, in order, as far as the process gets."""
        self._writer.write(frame(chunk))
        due = len(chunk.payloads)
        with suppress(ConnectionError):
            while due and (data := await self._reader.read(READ_BYTES)):
                self._buffer += data
                for outcome in _whole_frames(self._buffer):
                    due -= 1
                    yield outcome

    @property
    def ended(self) -> bool:
        """Whether the process is known to have ended."""
        return self._exited.done()

    def when_ended(self, tell: Callable[[], None]) -> None:
        """`tell` is called once the process has ended."""
        self._exited.add_done_callback(lambda _: tell())

    async def exit_status(self) -> int | None:
        """0 or more: what it exited with. Negative: the signal. None: its zygote died, and it with it."""
        return await asyncio.shield(self._exited)

    async def aclose(self) -> None:
        self.kill()
        await _hang_up(self._writer)


def _whole_frames(buffer: bytearray) -> Iterator[Outcome]:
    start = 0
    while len(buffer) >= (body := start + LENGTH.size):
        end = body + LENGTH.unpack_from(buffer, start)[0]
        if end > len(buffer):
            break
        start = end
        yield pickle.loads(memoryview(buffer)[body:end].tobytes())
    del buffer[:start]


class Nursery:
    """Starts the zygote when the first worker is asked for, and another should it die."""

    def __init__(self, preload: tuple[str, ...], memory_mb: int) -> None:
        self._preload = preload
        self._memory_mb = memory_mb
        self._starting = asyncio.Lock()
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._heard = b""
        self._workers: set[Worker] = set()
        self._exits: dict[int, asyncio.Future[int | None]] = {}

    async def hire(self) -> Worker:
        """A new worker, ready to run. WorkersUnavailable if it does not come up."""
        async with self._starting:
            control = self._control or await self._start()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(control, [b"fork\n"], [theirs.fileno()])
            reader, writer = await asyncio.open_unix_connection(sock=ours)
        except OSError as error:
            ours.close()
            raise WorkersUnavailable(f"a worker did not start: {error!r}") from error
        try:
            pid: int = pickle.loads(await _read_body(reader))
        except BaseException as error:
            await _hang_up(writer)
            if isinstance(error, (OSError, EOFError)):
                raise WorkersUnavailable(f"a worker did not start: {error!r}") from error
            raise
        exited = self._exits.setdefault(pid, asyncio.get_running_loop().create_future())
        worker = Worker(reader, writer, exited, lambda: self._kill(pid))
        self._workers.add(worker)
        return worker

    async def dismiss(self, worker: Worker) -> None:
        """Ends the worker, if it has not ended yet."""
        self._workers.discard(worker)
        await worker.aclose()

    async def aclose(self) -> None:
        """Ends the zygote and the workers."""
        for worker in tuple(self._workers):
            await self.dismiss(worker)
        if (process := self._process) is not None:
            self._lose_zygote()
            await process.wait()

    async def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "perception_reward.service.zygote",
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=DEVNULL,
                stdout=DEVNULL,
                # a terminal's Ctrl-C is for the service, which ends its workers itself
                start_new_session=True,
            )
        ours.sendall(frame(Setup(sys.path, self._preload, self._memory_mb)))
        ours.setblocking(False)
        answer = await _line(ours)
        if answer != "ready":
            ours.close()
            raise WorkersUnavailable(f"workers could not be prepared: {answer or 'their zygote died'}")
        self._control = ours
        self._heard = b""
        asyncio.get_running_loop().add_reader(ours.fileno(), self._listen, ours)
        return ours

    def _listen(self, control: socket.socket) -> None:
        try:
            data = control.recv(READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._lose_zygote()
            return
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            _, pid, status = line.split()
            self._settle(int(pid), int(status))

    def _settle(self, pid: int, status: int | None) -> None:
        exited = self._exits.pop(pid, None)
        if exited is not None and not exited.done():
            exited.set_result(status)

    def _kill(self, pid: int) -> None:
        if self._control is not None and pid in self._exits:
            with suppress(OSError):
                self._control.send(f"kill {pid}\n".encode())

    def _lose_zygote(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
        self._control = self._process = None
        for pid in tuple(self._exits):
            self._settle(pid, None)


async def _read_body(reader: asyncio.StreamReader) -> bytes:
    """IncompleteReadError, which is an EOFError, where the worker ends first."""
    head = await reader.readexactly(LENGTH.size)
    return await reader.readexactly(LENGTH.unpack(head)[0])


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _line(control: socket.socket) -> str:
    loop = asyncio.get_running_loop()
    heard = b""
    while not heard.endswith(b"\n"):
        data = await loop.sock_recv(control, READ_BYTES)
        if not data:
            break
        heard += data
    return heard.decode(errors="replace").strip()

"""HTTP in one event loop: one question to one server, and whether it still lives."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import weakref
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from perception_reward.trainer_client.errors import OptionError
from perception_reward.trainer_client.options import Options, named, variable

if TYPE_CHECKING:
    import ssl

    from aiohttp import ClientResponse, ClientSession, ClientTimeout

T = TypeVar("T")

CONNECT_SECONDS = 5.0
# Bytes above which aiohttp asks for a stream.
LARGE = 1 << 20
# Bytes of what a server tells of itself.
MOST_TOLD = 1 << 20
# A request that takes long is usually a judge that does. Every so often the server is asked whether it still lives;
# one whose event loop says nothing for as long has hung, or is gone without a word.
CHECK_SECONDS = 10.0
# Behind a balancer it may be another replica that says so. So the service is asked for signs of life in the answer
# itself. Where some have come through, a server that is silent for so long has hung; nginx, which waits for less, has
# asked another replica by then. A body that is still on its way has its time, at so many bytes a second.
HEARTBEAT = "X-Heartbeat"
BEAT_SECONDS, SILENT_SECONDS, SLOWEST_UPLOAD = 5.0, 40.0, 1 << 18


def _trace_headers() -> dict[str, str]:
    """What names the trace of a trainer that makes one with OpenTelemetry."""
    headers: dict[str, str] = {}
    if "opentelemetry.trace" in sys.modules:
        importlib.import_module("opentelemetry.propagate").inject(headers)
    return headers


class Answer(NamedTuple):
    status: int
    retry_after: str | None
    content: bytes


class NoAnswer(Exception):
    """The server cannot be reached, broke off, or took too long."""


class Distrusted(NoAnswer):
    """The server's certificate is not trusted: a fault of the options, or of the certificate."""

    def as_option_error(self) -> OptionError:
        """The same, with what to give for it."""
        return OptionError(
            f"{self}. Give the certificate of the authority that signed it as {named('ca_file')}, use the name that it "
            f"was made for in {named('base_url')}, or, in a network that you trust, do without this check: "
            f"verify=False ({variable('verify')}=0)."
        )


class Unencrypted(NoAnswer):
    """TLS cannot be spoken with the server: most often it speaks plain HTTP."""


class Pulse:
    """When anything of an answer last came. beats: whether it was a sign of life, white space before the answer."""

    def __init__(self, bytes_sent: int = 0) -> None:
        self._clock = asyncio.get_running_loop().time
        self._heard_at = self._clock() + bytes_sent / SLOWEST_UPLOAD
        self.beats = False

    def heard(self, piece: bytes) -> None:
        self._heard_at = self._clock()
        self.beats |= piece.isspace()

    @property
    def silent(self) -> bool:
        return self._clock() - self._heard_at > SILENT_SECONDS


class Transport:
    """Belongs to the loop it is first used in. Its connections close with that loop, or with `aclose`."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lifetime: AsyncGenerator[ClientSession] | None = None
        self._session: ClientSession | None = None
        # Questions under way whether a server lives, each shared by all who wonder.
        self._checks: dict[str, asyncio.Task[bool]] = {}
        # Servers whose signs of life come through.
        self._beating: set[str] = set()

    async def post(self, server: str, body: bytes, headers: Mapping[str, str], seconds: float, most: int) -> Answer:
        """The answer of `server` to `POST /v1/score`. `NoAnswer` where there is none in `seconds`, or none that is
        plain and of at most `most` bytes."""
        pulse = Pulse(len(body))
        with _no_answer_from(server):
            return await self._while_it_lives(server, pulse, self._send(server, body, headers, seconds, most, pulse))

    async def get(self, server: str, path: str, seconds: float, most: int = MOST_TOLD) -> Answer:
        """The answer of `server` to `GET path`. `NoAnswer` where there is none in `seconds` and `most` bytes."""
        with _no_answer_from(server):
            session = await self._open()
            async with session.get(server + path, timeout=_timeout(seconds), allow_redirects=False) as answer:
                return await _read(answer, server, most, Pulse())

    async def aclose(self) -> None:
        """Close the connections; a later question opens new ones."""
        lifetime, self._lifetime, self._session = self._lifetime, None, None
        if lifetime is not None:
            await lifetime.aclose()

    async def _send(
        self, server: str, body: bytes, headers: Mapping[str, str], seconds: float, most: int, pulse: Pulse
    ) -> Answer:
        session = await self._open()
        url, timeout = server + "/v1/score", _timeout(seconds)
        # Written piece by piece, so that the loop has its turns in between.
        data = BytesIO(body) if len(body) > LARGE else body
        headers = {**headers, **_trace_headers(), HEARTBEAT: f"{BEAT_SECONDS:g}"}
        async with session.post(url, data=data, headers=headers, timeout=timeout, allow_redirects=False) as answer:
            return await _read(answer, server, most, pulse)

    async def _while_it_lives(self, server: str, pulse: Pulse, request: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(request)
        try:
            while not (await asyncio.wait([task], timeout=CHECK_SECONDS))[0]:
                if pulse.beats:
                    self._beating.add(server)
                if server in self._beating and pulse.silent and not task.done():
                    raise NoAnswer(f"{server} gave no sign of life for {SILENT_SECONDS:g} s")
                if not await self._lives(server) and not task.done():
                    raise NoAnswer(f"{server} did not answer, and GET /livez neither")
            return task.result()
        finally:
            task.cancel()

    async def _lives(self, server: str) -> bool:
        check = self._checks.get(server)
        if check is None or check.done():
            check = self._checks[server] = asyncio.ensure_future(self._says_something(server))
        return await asyncio.shield(check)

    async def _says_something(self, server: str) -> bool:
        from aiohttp import ClientError

        try:
            session = await self._open()
            async with session.get(server + "/livez", timeout=_timeout(CHECK_SECONDS), allow_redirects=False):
                return True
        except (ClientError, OSError, asyncio.TimeoutError):
            return False

    async def _open(self) -> ClientSession:
        if self._session is None:
            self._lifetime = _sessions(self._options, _tls(self._options))
            self._session = await self._lifetime.__anext__()
            # Where a trainer stops or closes its loop without a word to what was opened there, and at the end of the
            # interpreter, aiohttp would complain of it; the connections are closed by what made the session, or end
            # with the loop.
            weakref.finalize(self, self._session.detach)
        return self._session


@contextmanager
def _no_answer_from(server: str) -> Generator[None]:
    """Whatever goes wrong on the way, as `NoAnswer`."""
    from aiohttp import ClientConnectorCertificateError, ClientConnectorError, ClientConnectorSSLError, ClientError

    try:
        yield
    except asyncio.TimeoutError:
        raise NoAnswer(f"{server} did not answer in time") from None
    except ClientConnectorCertificateError as error:
        raise Distrusted(f"{server}: its certificate is not trusted: {error.certificate_error}") from None
    except ClientConnectorSSLError as error:
        raise Unencrypted(f"{server}: TLS failed: {cast('OSError', error).strerror}") from None
    except ClientConnectorError as error:
        # Said by the system and not by aiohttp, which names the address once more.
        raise NoAnswer(f"{server}: {_reason(error.os_error)}") from None
    except (ClientError, OSError) as error:
        raise NoAnswer(f"{server}: {error or type(error).__name__}") from None


def _reason(error: OSError) -> str:
    # asyncio's own message for a refused connection is about its call.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


async def _read(answer: ClientResponse, server: str, most: int, pulse: Pulse) -> Answer:
    """A packed body could be a thousand times as large as what comes over the wire, so plain ones are asked for."""
    if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise NoAnswer(f"{server} sent a packed answer, though plain ones are asked for")
    content = bytearray()
    while len(content) <= most and (piece := await answer.content.readany()):
        content += piece
        pulse.heard(piece)
    if len(content) > most:
        raise NoAnswer(f"{server} sent more than {most} bytes, the most that an answer to the request can have")
    return Answer(answer.status, answer.headers.get("Retry-After"), bytes(content))


def _timeout(seconds: float) -> ClientTimeout:
    from aiohttp import ClientTimeout

    return ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)


async def _sessions(options: Options, tls: ssl.SSLContext | bool) -> AsyncGenerator[ClientSession]:
    """One session, closed with this generator: by `aclose`, by the loop at its end, which closes its generators, or
    when nobody holds it any more."""
    from aiohttp import ClientSession, DummyCookieJar, TCPConnector

    process = os.getpid()

    class Connector(TCPConnector):
        """Let go of without a word: its loop has ended, or, in a forked child, is the parent's."""

        def __del__(self, *_: Any) -> None:
            pass

    headers = {"Accept-Encoding": "identity"}
    if options.api_key:
        headers["Authorization"] = f"Bearer {options.api_key}"
    connector = Connector(limit=options.connections, ssl=tls)
    session = ClientSession(connector=connector, headers=headers, cookie_jar=DummyCookieJar(), auto_decompress=False)
    try:
        yield session
    finally:
        session.detach()
        if os.getpid() == process:
            await connector.close()


def _tls(options: Options) -> ssl.SSLContext | bool:
    import ssl

    if not options.verify:
        return False
    if options.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        raise OptionError(f"{named('ca_file')}: {options.ca_file} cannot be read as certificates: {error}") from None

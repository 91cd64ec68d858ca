"""One event loop's connection to the service: requests are tried again, elsewhere or later, while there is time."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perception_reward.trainer_client.answers import (
    Garbled,
    about_the_number_of_items,
    read_results,
    refusal,
    retry_after,
    told,
)
from perception_reward.trainer_client.encoding import compressed
from perception_reward.trainer_client.errors import RequestRefused
from perception_reward.trainer_client.options import Options
from perception_reward.trainer_client.servers import Server, Servers
from perception_reward.trainer_client.wire import ItemResult, Reason

if TYPE_CHECKING:
    from aiohttp import ClientSession, ClientTimeout

# Seconds between two tries: anything up to FIRST_PAUSE, then up to twice that, and so on (full jitter).
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
CONNECT_SECONDS = 5.0
# What is left of the time when the service has to have answered, so that its answer still arrives.
ARRIVAL_SHARE, ARRIVAL_MOST = 0.05, 2.0
# Bodies above this are compressed on another thread; below, the change of threads costs more.
COMPRESS_HERE = 1 << 18
LOOPBACK = ("http://127.", "http://localhost", "http://[::1]")


@dataclass(frozen=True)
class Unanswered:
    """No server answered in time: why, for the results, and in words, for people."""

    reason: Reason
    detail: str


class TooLarge(Exception):
    """The request as a whole is over a limit of the service; its halves may not be."""

    def __init__(self, error: RequestRefused) -> None:
        super().__init__(str(error))
        self.error = error


class _Failed(Exception):
    """A try that may be repeated. `wait`: seconds that the server asked to be left alone."""

    def __init__(self, detail: str, wait: float | None = None, overloaded: bool = False) -> None:
        super().__init__(detail)
        self.wait = wait
        self.overloaded = overloaded


class Link:
    """Belongs to the loop it is made in. Its connections close with the loop, or with `aclose`."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._servers = Servers(options.urls)
        self._lifetime = _sessions(options)
        self._session: ClientSession | None = None

    async def aclose(self) -> None:
        """Close the connections; a later request opens new ones."""
        lifetime, self._lifetime, self._session = self._lifetime, _sessions(self._options), None
        await lifetime.aclose()

    async def ask(self, body: bytes, count: int, deadline: float) -> list[ItemResult] | Unanswered:
        """The results of a request of `count` items, or why there are none at `deadline` (the loop's time).

        Raises `TooLarge`, and `RequestRefused` for every other refusal that would only be repeated.
        """
        pause, failure = FIRST_PAUSE, _Failed("there was no time to ask")
        while True:
            server = self._servers.next(self._loop.time())
            rest = max(server.rests_until - self._loop.time(), 0.0) if failure.wait is not None else 0.0
            if self._loop.time() + rest >= deadline:
                return Unanswered("overloaded" if failure.overloaded else "service_unavailable", str(failure))
            await asyncio.sleep(rest)
            try:
                return await self._try(server, body, count, deadline)
            except _Failed as error:
                failure = error
            if self._servers.next(self._loop.time()).rests_until > self._loop.time():
                await self._pause(pause, deadline)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _pause(self, most: float, deadline: float) -> None:
        await asyncio.sleep(min(random.uniform(0, most), max(deadline - self._loop.time(), 0.0)))

    async def _try(self, server: Server, body: bytes, count: int, deadline: float) -> list[ItemResult]:
        """One answer of one server. `_Failed` where another try, or another server, may do better."""
        server.under_way += 1
        try:
            results = await self._post(server, body, count, deadline)
        except _Failed as error:
            if error.wait is None:
                server.failed(self._loop.time())
            else:
                server.busy(self._loop.time() + error.wait)
            raise
        finally:
            server.under_way -= 1
        server.works()
        return results

    async def _post(self, server: Server, body: bytes, count: int, deadline: float) -> list[ItemResult]:
        zipped = self._compresses(server, body)
        sent = await self._zipped(body) if zipped else body
        status, after, content = await self._exchange(server, sent, zipped, deadline)
        if zipped and status in (400, 415, 422) and server.reads_gzip is None:
            # It may be older than compressed bodies; if the fault was another one, it says so again.
            status, after, content = await self._exchange(server, body, False, deadline)
            server.reads_gzip = False if status == 200 else None
        elif zipped and status == 200:
            server.reads_gzip = True
        if status == 200:
            try:
                return read_results(content, count)
            except Garbled as error:
                raise _Failed(f"{server.url}: {error}") from None
        if status in (408, 429) or status >= 500:
            raise _Failed(f"{server.url} answered {status}: {told(content)}", retry_after(after), status == 429)
        error = refusal(status, content, server.url)
        raise TooLarge(error) if about_the_number_of_items(error, content) and count > 1 else error

    async def _exchange(
        self, server: Server, body: bytes, zipped: bool, deadline: float
    ) -> tuple[int, str | None, bytes]:
        """(status, Retry-After, body) of one answer."""
        from aiohttp import ClientError

        left = deadline - self._loop.time()
        served_in = max(left - min(ARRIVAL_SHARE * left, ARRIVAL_MOST), 0.001)
        headers = {"Content-Type": "application/json", "X-Request-Timeout": f"{served_in:.3f}"}
        if zipped:
            headers["Content-Encoding"] = "gzip"
        try:
            session = await self._open()
            url = server.url + "/v1/score"
            async with session.post(url, data=body, headers=headers, timeout=_timeout(left)) as answer:
                return answer.status, answer.headers.get("Retry-After"), await answer.read()
        except asyncio.TimeoutError:
            raise _Failed(f"{server.url} did not answer in time") from None
        except (ClientError, OSError) as error:
            raise _Failed(f"{server.url}: {error or type(error).__name__}") from None

    async def _open(self) -> ClientSession:
        if self._session is None:
            self._session = await self._lifetime.__anext__()
        return self._session

    def _compresses(self, server: Server, body: bytes) -> bool:
        # On the same machine there is no network to save.
        return (
            len(body) > self._options.compress_above
            and server.reads_gzip is not False
            and not server.url.startswith(LOOPBACK)
        )

    async def _zipped(self, body: bytes) -> bytes:
        if len(body) <= COMPRESS_HERE:
            return compressed(body)
        return await asyncio.to_thread(compressed, body)


def _timeout(left: float) -> ClientTimeout:
    from aiohttp import ClientTimeout

    return ClientTimeout(total=left, sock_connect=CONNECT_SECONDS)


async def _sessions(options: Options) -> AsyncGenerator[ClientSession]:
    """One session, closed with this generator: by `Link.aclose`, or by the loop, which closes its generators at its
    end, or when nobody holds the link any more."""
    from aiohttp import ClientSession, DummyCookieJar, TCPConnector

    process = os.getpid()

    class Connector(TCPConnector):
        """In a forked child it is let go of and not closed: both processes share what the loop waits on."""

        def __del__(self) -> None:
            if os.getpid() == process:
                super().__del__()

    headers = {"Authorization": f"Bearer {options.api_key}"} if options.api_key else {}
    connector = Connector(limit=options.connections, ssl=_tls(options))
    async with ClientSession(connector=connector, headers=headers, cookie_jar=DummyCookieJar()) as session:
        yield session


def _tls(options: Options) -> ssl.SSLContext | bool:
    if not options.verify:
        return False
    return ssl.create_default_context(cafile=options.ca_file) if options.ca_file else True

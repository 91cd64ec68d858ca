"""One event loop's link to the service: requests are tried again, elsewhere or later, while there is time."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perception_reward.trainer_client.answers import (
    Garbled,
    about_the_number_of_items,
    read_response,
    refusal,
    retry_after,
    told,
)
from perception_reward.trainer_client.check import patience
from perception_reward.trainer_client.encoding import compressed
from perception_reward.trainer_client.errors import RequestRefused
from perception_reward.trainer_client.options import Options
from perception_reward.trainer_client.servers import Server, Servers
from perception_reward.trainer_client.transport import Answer, Distrusted, NoAnswer, Transport

if TYPE_CHECKING:
    from perception_reward.trainer_client.wire import ItemResult, Reason

logger = logging.getLogger(__name__)

# Seconds between two tries: anything up to FIRST_PAUSE, then up to twice that, and so on (full jitter).
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
# What is left of the time when the service has to have answered, so that its answer still arrives.
ARRIVAL_SHARE, ARRIVAL_MOST = 0.05, 2.0
# Seconds below which a server's wish is none: taken at its word it would be asked again and again without a pause.
LEAST_WAIT = 0.1
# Bytes of an answer at most: what stands once in it, what is there for an item, and how often the request is repeated.
MOST_ONCE, MOST_AN_ITEM, MOST_REPEATED = 1 << 20, 1 << 18, 4
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
    """Belongs to the loop it is made in."""

    def __init__(self, options: Options, warned: set[str]) -> None:
        """warned: what was told in this process already."""
        self._clock = asyncio.get_running_loop().time
        self._servers = Servers(options.urls)
        self._options = options
        self._answered = False
        self._warned = warned
        self.transport = Transport(options)

    async def aclose(self) -> None:
        """Close the connections; a later request opens new ones."""
        await self.transport.aclose()

    async def ask(
        self, body: bytes, count: int, deadline: float, known: Callable[[], bool]
    ) -> list[ItemResult] | Unanswered:
        """The results of a request of `count` items, or why there are none at `deadline` (the loop's time).

        known: whether any server has ever been there. One that has is waited for; an address where nothing ever
        answered is most likely wrong, and is given up after some seconds.

        Raises `TooLarge`, `RequestRefused` for every other refusal that would only be repeated, and `OptionError` for
        a certificate that is not trusted, where no server has answered yet.
        """
        pause, failure = FIRST_PAUSE, _Failed("there was no time to ask")
        hopeless = self._clock() + patience(self._options)
        while True:
            server = self._servers.next(self._clock())
            rest = max(server.rests_until - self._clock(), 0.0) if failure.wait is not None else 0.0
            if self._clock() + rest >= (deadline if known() else min(deadline, hopeless)):
                return Unanswered("overloaded" if failure.overloaded else "service_unavailable", str(failure))
            if rest > 0:
                await asyncio.sleep(rest)
                continue
            try:
                return await self._try(server, body, count, deadline)
            except _Failed as error:
                failure = error
            if self._servers.next(self._clock()).rests_until > self._clock():
                await asyncio.sleep(min(random.uniform(0, pause), max(deadline - self._clock(), 0.0)))
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _try(self, server: Server, body: bytes, count: int, deadline: float) -> list[ItemResult]:
        """One answer of one server. `_Failed` where another try, or another server, may do better."""
        server.under_way += 1
        try:
            results = self._read(await self._post(server, body, count, deadline), server, count)
        except (_Failed, NoAnswer) as error:
            # Later it is a fault of the server's, which others may stand in for, or its keeper mend.
            if isinstance(error, Distrusted) and not self._answered:
                raise error.as_option_error() from None
            failure = error if isinstance(error, _Failed) else _Failed(str(error))
            if failure.wait is None:
                if server.failed(self._clock()):
                    logger.warning("perception_reward: %s; asking again while there is time", failure)
            else:
                server.busy(self._clock() + failure.wait)
            raise failure from None
        finally:
            server.under_way -= 1
        if server.works():
            logger.warning("perception_reward: %s answers again", server.url)
        self._answered = True
        return results

    async def _post(self, server: Server, body: bytes, count: int, deadline: float) -> Answer:
        """The server's answer; a body that it may not be able to decompress is sent again as it is."""
        most = MOST_ONCE + MOST_AN_ITEM * count + MOST_REPEATED * len(body)
        if not self._compresses(server, body):
            return await self.transport.post(server.url, body, *self._terms(deadline), most)
        zipped = compressed(body) if len(body) <= COMPRESS_HERE else await asyncio.to_thread(compressed, body)
        headers, left = self._terms(deadline)
        answer = await self.transport.post(server.url, zipped, {**headers, "Content-Encoding": "gzip"}, left, most)
        if answer.status in (400, 415, 422) and not server.reads_gzip:
            answer = await self.transport.post(server.url, body, *self._terms(deadline), most)
            server.reads_gzip = False if answer.status == 200 else None
        elif answer.status == 200:
            server.reads_gzip = True
        return answer

    def _compresses(self, server: Server, body: bytes) -> bool:
        # On the same machine there is no network to save.
        wanted = len(body) > self._options.compress_above and not server.url.startswith(LOOPBACK)
        return wanted and server.reads_gzip is not False

    def _terms(self, deadline: float) -> tuple[dict[str, str], float]:
        """(headers, seconds) of a try that has to be over at `deadline`."""
        left = max(deadline - self._clock(), 0.001)
        answered_in = left - min(ARRIVAL_SHARE * left, ARRIVAL_MOST)
        return {"Content-Type": "application/json", "X-Request-Timeout": f"{answered_in:.4f}"}, left

    def _read(self, answer: Answer, server: Server, count: int) -> list[ItemResult]:
        status, content = answer.status, answer.content
        if status == 200:
            try:
                response = read_response(content, count)
            except Garbled as error:
                raise _Failed(f"{server.url}: {error}") from None
            self._warn(response.summary.warnings)
            return response.results
        if status in (408, 429) or status >= 500:
            detail = f"{server.url} answered {status}: {told(content)}"
            wait = retry_after(answer.retry_after)
            raise _Failed(detail, wait if wait is not None and wait >= LEAST_WAIT else None, status == 429)
        error = refusal(status, content, server.url)
        raise TooLarge(error) if count > 1 and about_the_number_of_items(error, content) else error

    def _warn(self, warnings: Sequence[str]) -> None:
        """Tell once what the service has noticed of the run."""
        for text in warnings:
            if text not in self._warned:
                self._warned.add(text)
                logger.warning("the reward service says: %s", text)

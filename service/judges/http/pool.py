"""Several endpoints as one: a request goes where its prefix is cached, past what is full or down, until it is
answered or its deadline has come.

Requests with the same affinity go to the same endpoint as long as that one has no more than its share. A transport
error, 408 or 5xx (but 501) is tried again, elsewhere where possible; 429 waits as the server asks; any other status
is final. A body that is packed, or larger than an answer can be, is not taken: another server is asked if there is one.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from perception_reward.service import tracing
from perception_reward.service.judges.http.affinity import choose
from perception_reward.service.judges.http.body import (
    PLAIN,
    Answer,
    Call,
    Fault,
    Refused,
    Unusable,
    first_bytes,
    whole_body,
)
from perception_reward.service.judges.http.endpoint import Endpoint
from perception_reward.service.judges.http.words import MOST_READ, quotable
from perception_reward.service.judges.llm.engine import JudgeFailure, JudgeObserver, Unobserved
from perception_reward.trainer_client.answers import retry_after
from perception_reward.trainer_client.wire import Reason

logger = logging.getLogger(__name__)

# Attempts that fail; waiting for a busy server does not count.
ATTEMPTS = 4

# Faults of the server; what it does not implement it will not do next time either.
PASSING = frozenset(range(500, 600)) - {HTTPStatus.NOT_IMPLEMENTED}

# Seconds to wait for an endpoint that is down. A vLLM server takes longer than any request may to start.
PATIENCE = 2.0

CONNECT_TIMEOUT = 5.0

# uvicorn, and so vLLM, closes idle connections after 5 s: reusing one just then would fail.
KEEP_ALIVE = 4.0

# When a busy server does not say how long it wants to be left alone, and the most that it is believed: one wrong
# header must not put a server out of use for an hour.
BUSY_SECONDS, MOST_BUSY_SECONDS = 0.5, 30.0


class _TryAgain(Exception):
    """This attempt failed; another may not.

    counts: whether it is one of the allowed attempts. missing: what there is when it was the last.
    elsewhere: the same server would only do the same again.
    """

    def __init__(
        self, reason: str, *, counts: bool = True, missing: Reason = "judge_unavailable", elsewhere: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.counts = counts
        self.missing: Reason = missing
        self.elsewhere = elsewhere


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    retry_after: str | None


class EndpointPool:
    """Belongs to one event loop at a time: the connections are made on first use in the running one."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        api_key: str | None = None,
        concurrency: int = 64,
        observer: JudgeObserver | None = None,
    ) -> None:
        self.endpoints = [Endpoint(url, concurrency) for url in urls]
        self._headers = {"Content-Type": "application/json", **PLAIN}
        self._api_key = api_key
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._observer = observer or Unobserved()
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inflight = 0
        self._complaints: set[tuple[str, int | Fault]] = set()

    @property
    def capacity(self) -> int:
        """Requests that may be at the endpoints at once."""
        return sum(endpoint.concurrency for endpoint in self.endpoints)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            self._session, self._loop, self._inflight = self._open(), loop, 0
            for endpoint in self.endpoints:
                endpoint.reset()
        return self._session

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = self._loop = None

    def unusable(self, endpoint: str, fault: Fault, detail: str) -> None:
        """`endpoint` answered with what cannot be used, or not all of it: counted, and logged once per fault."""
        self._observer.unusable(endpoint, fault)
        self._complain(endpoint, fault, f"a reply of {endpoint} cannot be used: {detail}")

    def leave(self, label: str) -> bool:
        """Leave the endpoint of that label alone for a while. Whether there is another one to ask now."""
        now = asyncio.get_running_loop().time()
        for endpoint in self._ready():  # what fails together is one failure
            if endpoint.label == label:
                endpoint.failed(now, now)
        return bool(self._ready())

    async def post(self, call: Call, affinity: str, deadline: float) -> Answer:
        """That with which some endpoint answered `call`. Raises JudgeFailure."""
        # Made before any endpoint is looked at: a new event loop resets them.
        _ = self.session
        try:
            async with asyncio.timeout_at(deadline):
                return await self._try_endpoints(call, affinity, deadline)
        except TimeoutError:
            raise JudgeFailure("judge_timeout", "no endpoint answered before the deadline") from None

    async def _try_endpoints(self, call: Call, affinity: str, deadline: float) -> Answer:
        failures = 0
        while True:
            endpoint = await self._choose(affinity, deadline)
            try:
                return await self._attempt(endpoint, call, deadline)
            except _TryAgain as again:
                failures += again.counts
                if failures >= ATTEMPTS or (again.elsewhere and not self._ready()):
                    raise JudgeFailure(again.missing, again.reason) from None
                self._observer.retry(again.reason)

    def _ready(self) -> list[Endpoint]:
        now = asyncio.get_running_loop().time()
        return [endpoint for endpoint in self.endpoints if endpoint.ready_at <= now]

    async def _choose(self, affinity: str, deadline: float) -> Endpoint:
        """Of the endpoints that are ready, the one where `affinity` belongs; waits a little while none is."""
        while True:
            if ready := self._ready():
                return choose(ready, affinity)
            now = asyncio.get_running_loop().time()
            first = min(self.endpoints, key=lambda endpoint: endpoint.ready_at)
            if first.down_until - now > PATIENCE or first.ready_at >= deadline:
                raise JudgeFailure("judge_unavailable", f"{first.label} does not answer, nor does any other")
            await asyncio.sleep(first.ready_at - now + random.uniform(0, 0.02))

    async def _attempt(self, endpoint: Endpoint, call: Call, deadline: float) -> Answer:
        endpoint.load += 1
        try:
            async with endpoint.slots:
                if endpoint.ready_at > asyncio.get_running_loop().time():
                    raise _TryAgain("moved", counts=False)
                return await self._exchange(endpoint, call, deadline)
        finally:
            endpoint.load -= 1

    async def _exchange(self, endpoint: Endpoint, call: Call, deadline: float) -> Answer:
        loop = asyncio.get_running_loop()
        sent = loop.time()
        self._count(1)
        ok = False
        try:
            reply = await self._unless_silent(endpoint, call, sent, deadline)
            self._judge_status(endpoint, call, reply, sent)
            ok = True
            return Answer(endpoint.label, reply.body)
        except Unusable as unusable:
            endpoint.failed(loop.time(), sent)
            self.unusable(endpoint.label, unusable.fault, str(unusable))
            missing = "judge_unavailable" if unusable.fault == "slow" else "judge_unparseable"
            raise _TryAgain(unusable.fault, missing=missing, elsewhere=True) from None
        except (aiohttp.ClientError, OSError):
            endpoint.failed(loop.time(), sent)
            raise _TryAgain("transport") from None
        finally:
            # Cut off at the deadline, with no sign of life in all that time: not slow, but hung.
            if not ok and loop.time() >= deadline and endpoint.silent_since(sent):
                endpoint.failed(loop.time(), sent)
            self._count(-1)
            self._observer.request(endpoint.label, loop.time() - sent, ok)

    async def _unless_silent(self, endpoint: Endpoint, call: Call, sent: float, deadline: float) -> _Reply:
        """The reply; given up where there is another endpoint and this one answers nobody for half the time."""
        loop = asyncio.get_running_loop()
        patience = (deadline - sent) / 2
        request = asyncio.ensure_future(self._send(endpoint, call))
        try:
            while len(self.endpoints) > 1 and not request.done():
                silent = endpoint.silent_for(loop.time(), sent)
                if silent >= patience:
                    endpoint.failed(loop.time(), sent)
                    raise _TryAgain("silent")
                await asyncio.wait([request], timeout=patience - silent)
            return await request
        finally:
            request.cancel()

    async def _send(self, endpoint: Endpoint, call: Call) -> _Reply:
        url = endpoint.url + call.path
        with tracing.span("judge request", server=endpoint.label, path=call.path) as tell:
            reply = await self._ask(url, call)
            tell(status=reply.status)
            return reply

    async def _ask(self, url: str, call: Call) -> _Reply:
        headers = tracing.trace_headers()
        async with self.session.post(url, data=call.body, headers=headers, allow_redirects=False) as reply:
            ok = reply.status == HTTPStatus.OK
            body = await (whole_body(reply, call.most) if ok else first_bytes(reply, MOST_READ))
            return _Reply(reply.status, body, reply.headers.get("Retry-After"))

    def _judge_status(self, endpoint: Endpoint, call: Call, reply: _Reply, sent: float) -> None:
        """What the status says of the endpoint; raises where it is not 200."""
        now = asyncio.get_running_loop().time()
        wait = retry_after(reply.retry_after)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS or (reply.status == 503 and wait is not None):
            endpoint.busy(now, BUSY_SECONDS if wait is None else min(wait, MOST_BUSY_SECONDS))
            raise _TryAgain("busy", counts=False)
        if reply.status == HTTPStatus.REQUEST_TIMEOUT or reply.status in PASSING:
            endpoint.failed(now, sent)
            raise _TryAgain(str(reply.status))
        endpoint.answered(now, sent)
        if reply.status != HTTPStatus.OK:
            raise self._refusal(endpoint, call, reply)

    def _refusal(self, endpoint: Endpoint, call: Call, reply: _Reply) -> Refused:
        message = quotable(reply.body)
        if self._api_key:
            # Some servers repeat the key that they refuse.
            message = message.replace(self._api_key, "***")
        detail = f"{endpoint.label} refused the request with {reply.status}: {message!r}"
        if not call.optional:
            self._complain(endpoint.label, reply.status, detail)
        return Refused(reply.status, detail)

    def _complain(self, endpoint: str, kind: int | Fault, text: str) -> None:
        """One line per endpoint and kind: the same fault would otherwise be logged a thousand times a step."""
        if (endpoint, kind) not in self._complaints:
            self._complaints.add((endpoint, kind))
            logger.error("%s; more of the same are not logged", text)

    def _count(self, change: int) -> None:
        self._inflight += change
        self._observer.inflight(self._inflight)

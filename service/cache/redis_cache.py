"""The cache that replicas share: Redis behind a deadline and a circuit breaker.

A read is one MGET, or several for very many keys. Writes go through a bounded queue to one background task, so
that no answer waits for them; what does not fit is dropped, since a lost write only costs a judgement later. A
Redis that hangs costs one deadline, then nothing until a probe finds it well again. One that answers but takes no
writes (it is full, or a replica) is asked again with the same ones. No method raises for what Redis does; each
change for the worse or the better is logged once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeout

from perception_reward.annotations.redis_store import address
from perception_reward.service.backoff import Backoff
from perception_reward.service.cache.breaker import Breaker
from perception_reward.service.cache.observer import CacheObserver, Unobserved

logger = logging.getLogger(__name__)

# A batch of 2,560 lookups takes some 10 ms against a local Redis; slower than this and judging starts to win.
DEADLINE = 0.25

# Keys in one MGET: some 30 ms of work, so that a healthy Redis never runs into the deadline.
READ_BATCH = 8192

# A restarted Redis is used again within half a second; one that stays away is asked twice a minute.
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0

# A pipeline of this many SETs keeps the event loop busy for at most some 5 ms.
WRITE_BATCH = 256

OK = "ok"

# Queued writes, some 20 MB, before more are dropped.
QUEUE_LIMIT = 100_000

Result = TypeVar("Result")


class RedisCache:
    """Values by key in the Redis at `url` (`redis://[user:password@]host:port/db`, `rediss://…` or `unix://…`).

    ttl: seconds after which Redis may forget a value; None leaves that to its eviction policy.
    deadline: seconds that an operation may take, connecting included.
    Raises ValueError for a URL that is none, without repeating it: it may hold a password.
    """

    def __init__(
        self,
        url: str,
        *,
        ttl: int | None = None,
        deadline: float = DEADLINE,
        observer: CacheObserver | None = None,
    ) -> None:
        self._redis = _client(url, deadline)
        self._address = address(self._redis)
        self._ttl = ttl
        self._deadline = deadline
        self._observer = observer or Unobserved()
        self._breaker = Breaker(Backoff(FIRST_BACKOFF, LONGEST_BACKOFF))
        self._queue: deque[tuple[bytes, bytes]] = deque()
        self._queued = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._closing = False
        self._failure = ""
        self._refusal = ""
        self._health: str | None = None

    @property
    def up(self) -> bool:
        """Whether Redis, when last heard of, answered and took writes."""
        return self._health == OK

    @property
    def health(self) -> str:
        """`ok`, or what is wrong with Redis, in a few words without its password."""
        return self._health or "not asked yet"

    async def start(self) -> None:
        """Begin writing. Redis need not be there yet."""
        self._writer = asyncio.create_task(self._write_queue(), name="redis cache writer")
        await self._guarded(self._ping)

    async def aclose(self) -> None:
        """Write what is queued, for as long as the deadline, and disconnect."""
        self._closing = True
        self._queued.set()
        if self._writer is not None:
            await asyncio.wait([self._writer], timeout=self._deadline)
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self._redis.aclose()

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys` in order, None where Redis has none or did not answer in time.

        Every `READ_BATCH` keys have a deadline of their own. The first batch that fails is the last that is asked for.
        """
        values: list[bytes | None] = []
        for start in range(0, len(keys), READ_BATCH):
            found = await self._guarded(partial(self._mget, keys[start : start + READ_BATCH]))
            if found is None:
                break
            values += found
        return values + [None] * (len(keys) - len(values))

    def put_many(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Queue `pairs` to be written; returns at once."""
        for pair in pairs:
            if len(self._queue) >= QUEUE_LIMIT:
                self._observer.error("dropped")
                break
            self._queue.append(pair)
        self._queued.set()

    async def _write_queue(self) -> None:
        backoff = Backoff(FIRST_BACKOFF, LONGEST_BACKOFF)
        while self._queue or not self._closing:
            if not self._queue:
                self._queued.clear()
                await self._queued.wait()
                continue
            batch = [self._queue.popleft() for _ in range(min(WRITE_BATCH, len(self._queue)))]
            await self._guarded(lambda batch=batch: self._set(batch))
            if not self._refusal or self._closing:
                backoff.reset()
                continue
            self._queue.extendleft(reversed(batch))
            await asyncio.sleep(backoff.next())

    async def _guarded(self, operation: Callable[[], Awaitable[Result]]) -> Result | None:
        """What `operation` returns, or None when the breaker is open, the deadline passes or Redis fails."""
        if not self._breaker.admit():
            return None
        try:
            async with asyncio.timeout(self._deadline):
                result = await operation()
        except ResponseError:
            self._observer.error("refused")  # by a Redis that answers
            result = None
        except (TimeoutError, RedisTimeout):
            return self._failed("timeout")
        except (RedisError, OSError):
            return self._failed("connection")
        except BaseException:
            self._breaker.abandoned()
            raise
        self._succeeded()
        return result

    def _succeeded(self) -> None:
        self._breaker.succeeded()
        self._failure = ""
        self._report()

    def _failed(self, kind: str) -> None:
        self._breaker.failed()
        self._observer.error(kind)
        self._failure = f"down ({kind})"
        self._report()

    def _report(self) -> None:
        """Tell a change of health, once."""
        health = self._failure or self._refusal or OK
        if health == self._health or (self._failure and self._health is not None and self._health.startswith("down")):
            return
        was, self._health = self._health, health
        self._observer.redis_up(self.up)
        if not self.up:
            logger.warning(
                "the cache's %s is %s; verdicts are kept in memory alone until it is well", *(self._address, health)
            )
        elif was is not None:
            logger.info("the cache's %s is well again", self._address)

    async def _ping(self) -> None:
        await self._redis.ping()  # pyright: ignore[reportUnknownMemberType]

    async def _mget(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return cast("list[bytes | None]", await self._redis.mget(keys))

    async def _set(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key, value in pairs:
                pipeline.set(key, value, ex=self._ttl)
            try:
                await pipeline.execute()
            except ResponseError as error:
                self._refusal = f"refusing writes ({type(error).__name__})"
                raise
        self._refusal = ""


def _client(url: str, deadline: float) -> Redis:
    options: dict[str, Any] = {
        "socket_timeout": deadline,
        "socket_connect_timeout": deadline,
        # The breaker decides when to try again; retries inside the client would multiply the deadline.
        "retry": Retry(NoBackoff(), 0),
        # The older protocol needs no greeting, so a new connection costs fewer round trips.
        "protocol": 2,
    }
    try:
        return Redis.from_url(url, **options)  # pyright: ignore[reportUnknownMemberType]
    except ValueError:
        raise ValueError(
            "the Redis URL cannot be read; write redis://[user:password@]host:port/db, with special "
            "characters in the password percent-encoded"
        ) from None

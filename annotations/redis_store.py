"""Annotations in Redis, shared by every replica: a JSON value per annotation, a sorted set of the ids, and the version.

Nothing here waits longer than `timeout` and nothing that failed is retried: the scorer has a deadline and a person may
press the button again. Every failure becomes `StoreUnavailable`, whose message names the host and never the
password.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, cast

from pydantic import ValidationError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, WatchError

from perception_reward.annotations.cursor import from_cursor, to_cursor
from perception_reward.annotations.faults import first_fault
from perception_reward.annotations.figures import Figures, Header
from perception_reward.annotations.jsonl import to_json
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.store import Found, Page, StoreUnavailable
from perception_reward.annotations.version import Version

logger = logging.getLogger(__name__)

# A thousand annotations of 5 kB take some 20 ms to fetch from a Redis in the same data center.
TIMEOUT = 2.0

# Annotations written in one transaction: a few MB, so that Redis is not held up for others.
WRITE_BATCH = 500

# Redis answers one command at a time: more connections than this only queue there.
MAX_CONNECTIONS = 16


class RedisStore:
    """The annotations below `prefix` in the Redis at `url`: `redis://[user:password@]host:port/db` or `rediss://…`.

    timeout: seconds that one operation may take, connecting included (a `put_many`: each batch of 500).
    Raises `ValueError` for a URL that is none, without repeating it.
    """

    def __init__(self, url: str, *, prefix: str = "perception-reward:annotation:", timeout: float = TIMEOUT) -> None:
        self._redis = _client(url, timeout)
        self._address = address(self._redis)
        self._prefix = prefix
        # Not below the prefix: no id can name it.
        self._index = f"{prefix.rstrip(':')}-ids"
        self._version = f"{prefix.rstrip(':')}-version"
        self._header = f"{prefix.rstrip(':')}-header"
        self._timeout = timeout
        # Changes of one process would only make one another begin again.
        self._writing = asyncio.Lock()
        self._away = False

    async def start(self) -> None:
        """Does nothing: Redis need not be there yet."""

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def reload(self) -> None:
        """Does nothing: every read asks Redis."""

    async def header(self) -> Header:
        async with self._reached():
            stored, figures = cast("list[bytes | None]", await self._redis.mget([self._version, self._header]))
        version = str(Version.read(stored.decode())) if stored is not None else None
        return Header(version=version, figures=Figures.model_validate_json(figures) if figures is not None else None)

    async def record(self, figures: Figures) -> None:
        async with self._reached():
            await self._redis.set(self._header, figures.model_dump_json(exclude_defaults=True))

    async def changed(self) -> bool:
        """False: every read asks Redis."""
        return False

    async def get_many(self, ids: Sequence[str]) -> Found:
        if not ids:
            return Found()
        async with self._reached():
            keys = [*(self._key(one) for one in ids), self._version]
            *values, version = cast("list[bytes | None]", await self._redis.mget(keys))
        found = (self._annotation(one, value) for one, value in zip(ids, values, strict=True))
        return Found(found, str(Version.read(version.decode())) if version is not None else None)

    async def put_many(self, annotations: Iterable[Annotation]) -> None:
        """Store in batches; a failure leaves the batches before it stored."""
        for batch in _batches(annotations, WRITE_BATCH):
            # Of annotations with one id the last one stays.
            await self._change({one.id: one for one in batch})

    async def delete(self, annotation_id: str) -> bool:
        return bool(await self._change({annotation_id: None}))

    async def _change(self, annotations: Mapping[str, Annotation | None]) -> int:
        """Put annotations, or with None delete them, and bring the version up to date: all of it or nothing.

        Another writer in between makes it begin again, as often as the time-out allows. Returns how many were there.
        """
        ids = list(annotations)
        async with self._reached(), self._writing, self._redis.pipeline(transaction=True) as pipe:
            while True:
                await pipe.watch(self._version, *map(self._key, ids))
                keys = [*map(self._key, ids), self._version]
                *values, stored = cast("list[bytes | None]", await pipe.mget(keys))
                known = stored is not None or not await pipe.zcard(self._index)
                old = [self._annotation(one, value) for one, value in zip(ids, values, strict=True)]
                pipe.multi()
                if put := {one: found for one, found in annotations.items() if found is not None}:
                    pipe.mset({self._key(one): to_json(found) for one, found in put.items()})
                    pipe.zadd(self._index, dict.fromkeys(put, 0))
                if gone := [one for one in ids if one not in put]:
                    pipe.delete(*map(self._key, gone))
                    pipe.zrem(self._index, *gone)
                # What was stored before versions were, or is no annotation, leaves the version unknown.
                readable = all(one is not None or value is None for one, value in zip(old, values, strict=True))
                if known and readable:
                    version = Version.read(stored.decode()) if stored is not None else Version()
                    version = version.without(*filter(None, old)).having(*put.values())
                    pipe.set(self._version, version.stored())
                else:
                    pipe.delete(self._version)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return sum(value is not None for value in values)

    async def list(self, *, cursor: str | None = None, limit: int = 100) -> Page:
        """Up to `limit` annotations after `cursor`. Raises `ValueError` for a cursor that is none."""
        start = b"(" + from_cursor(cursor).encode() if cursor is not None else b"-"
        async with self._reached():
            # One more than the page shows whether another follows.
            found = await self._redis.zrangebylex(self._index, cast(Any, start), "+", start=0, num=limit + 1)
        ids = [one.decode() for one in cast("list[bytes]", found)]
        page = [one for one in await self.get_many(ids[:limit]) if one is not None]
        return Page(tuple(page), to_cursor(ids[limit - 1]) if len(ids) > limit else None)

    async def count(self) -> int:
        async with self._reached():
            return int(await self._redis.zcard(self._index))

    def _key(self, annotation_id: str) -> str:
        return self._prefix + annotation_id

    def _annotation(self, annotation_id: str, value: bytes | None) -> Annotation | None:
        if value is None:
            return None
        try:
            return Annotation.model_validate_json(value)
        except ValidationError as error:
            where, message = first_fault(error)
            logger.warning(
                "annotation %r in %s is not readable (%s: %s) and counts as unknown; write it again",
                *(annotation_id, self._address, where, message),
            )
            return None

    @asynccontextmanager
    async def _reached(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except TimeoutError:
            raise self._unavailable(f"did not answer within {self._timeout:g} s") from None
        except (RedisError, OSError) as error:
            # The error's own words may repeat the URL, and with it the password.
            raise self._unavailable(f"are not available ({type(error).__name__})") from None
        if self._away:
            self._away = False
            logger.info("the annotations in %s are available again", self._address)

    def _unavailable(self, how: str) -> StoreUnavailable:
        """The error, which is logged at the beginning of an outage."""
        error = StoreUnavailable(f"the annotations in {self._address} {how}")
        if not self._away:
            self._away = True
            logger.warning("%s", error)
        return error


def _client(url: str, timeout: float) -> Redis:
    try:
        # Operations beyond MAX_CONNECTIONS wait their turn; the plain pool would refuse them.
        pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise ValueError("the Redis URL is not one: write redis://[user:password@]host:port/db") from None
    return Redis.from_pool(pool)


def address(redis: Redis) -> str:
    """Where `redis` is, for logs and errors: without user and password."""
    settings = cast("dict[str, object]", redis.connection_pool.connection_kwargs)
    if path := settings.get("path"):
        return f"redis {path}"
    return f"redis {settings.get('host', 'localhost')}:{settings.get('port', 6379)}"


def _batches(annotations: Iterable[Annotation], size: int) -> Iterator[list[Annotation]]:
    remaining = iter(annotations)
    while batch := list(islice(remaining, size)):
        yield batch

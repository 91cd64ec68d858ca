"""The cache that the scorer asks: memory first, Redis for what memory lacks.

Of memory, least recently used entries leave first, and bytes are the bound.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from perception_reward.service.cache.observer import CacheObserver, Unobserved
from perception_reward.service.pace import Pace

if TYPE_CHECKING:
    from perception_reward.service.cache.redis_cache import RedisCache

# What CPython 3.11 spends on an OrderedDict entry besides the two objects: a list node, its slot in the
# dictionary and the index, at the mean fill between two resizes. A test holds it against tracemalloc.
ENTRY_OVERHEAD = 112


class MemoryCache:
    """At most `max_bytes` of keys and values, all overhead counted. Belongs to one event loop."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes in use."""
        return self._bytes

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys` in order, None where there is none."""
        values = [self._entries.get(key) for key in keys]
        for key, value in zip(keys, values, strict=True):
            if value is not None:
                self._entries.move_to_end(key)
        return values

    def put_many(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep `pairs`, at the cost of what was used least recently."""
        for key, value in pairs:
            self._drop(key)
            self._entries[key] = value
            self._bytes += _cost(key, value)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        value = self._entries.pop(key, None)
        if value is not None:
            self._bytes -= _cost(key, value)


def _cost(key: bytes, value: bytes) -> int:
    return sys.getsizeof(key) + sys.getsizeof(value) + ENTRY_OVERHEAD


# Keys looked up in memory before others have a turn.
AT_ONCE = 4096


class VerdictCache:
    """Encoded verdicts and grades by content key. Belongs to one event loop.

    Without Redis each process caches for itself; with one, replicas share what they have judged.
    """

    def __init__(
        self,
        memory: MemoryCache,
        redis: RedisCache | None = None,
        observer: CacheObserver | None = None,
    ) -> None:
        self._memory = memory
        self._redis = redis
        self._observer = observer or Unobserved()

    @property
    def health(self) -> str:
        """`memory only`, `ok`, or what is wrong with Redis: that slows things down and stops nothing."""
        return "memory only" if self._redis is None else self._redis.health

    async def start(self) -> None:
        if self._redis is not None:
            await self._redis.start()

    async def aclose(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys` in order, None where no tier has one: at most one round trip to Redis."""
        values: list[bytes | None] = []
        pace = Pace()
        for start in range(0, len(keys), AT_ONCE):
            values += self._memory.get_many(keys[start : start + AT_ONCE])
            await pace.keep()
        absent = [index for index, value in enumerate(values) if value is None]
        self._observer.hits("memory", len(keys) - len(absent))
        found = await self._ask_redis([keys[index] for index in absent])
        for index, value in zip(absent, found, strict=True):
            values[index] = value
        return values

    def remember(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep `pairs` in memory, until `share` sends them to Redis with the rest of their batch."""
        self._memory.put_many(pairs)

    def share(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep `pairs`, which are remembered, in Redis soon: this does not wait for it."""
        if self._redis is not None:
            self._redis.put_many(pairs)

    async def _ask_redis(self, keys: Sequence[bytes]) -> list[bytes | None]:
        values: list[bytes | None] = [None] * len(keys)
        if self._redis is not None:
            values = await self._redis.get_many(keys)
        found = [(key, value) for key, value in zip(keys, values, strict=True) if value is not None]
        self._memory.put_many(found)
        self._observer.hits("redis", len(found))
        self._observer.misses(len(keys) - len(found))
        return values

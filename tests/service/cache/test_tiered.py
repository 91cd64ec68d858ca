from __future__ import annotations

from typing import Any

from perception_reward.service.cache.memory import MemoryCache
from perception_reward.service.cache.redis_cache import RedisCache
from perception_reward.service.cache.tiered import VerdictCache

PAIRS = [(b"a", b"1"), (b"b", b"2")]


async def test_memory_alone_is_a_cache(recorder: Any):
    cache = VerdictCache(MemoryCache(10_000), observer=recorder)
    await cache.start()
    cache.remember(PAIRS)
    cache.share(PAIRS)
    assert await cache.get_many([b"b", b"absent", b"a"]) == [b"2", None, b"1"]
    assert cache.health == "memory only"
    assert (recorder.hit, recorder.missed) == ({"memory": 2, "redis": 0}, 1)
    await cache.aclose()


async def test_what_redis_knows_is_kept_in_memory(start_redis: Any, recorder: Any):
    server = start_redis()
    first = VerdictCache(MemoryCache(10_000), RedisCache(server.url))
    await first.start()
    first.remember(PAIRS)
    first.share(PAIRS)
    await first.aclose()

    second = VerdictCache(MemoryCache(10_000), RedisCache(server.url), recorder)
    await second.start()
    assert await second.get_many([b"a", b"absent", b"b"]) == [b"1", None, b"2"]
    assert (recorder.hit, recorder.missed) == ({"memory": 0, "redis": 2}, 1)
    server.kill()
    assert await second.get_many([b"b", b"a"]) == [b"2", b"1"]
    assert recorder.hit == {"memory": 2, "redis": 2}
    await second.aclose()


async def test_without_its_redis_it_still_remembers(start_redis: Any):
    server = start_redis()
    server.kill()
    cache = VerdictCache(MemoryCache(10_000), RedisCache(server.url))
    await cache.start()
    cache.remember(PAIRS)
    cache.share(PAIRS)
    assert await cache.get_many([b"a", b"absent"]) == [b"1", None]
    assert cache.health == "down (connection)"
    await cache.aclose()

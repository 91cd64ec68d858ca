from __future__ import annotations

import os
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.cache.redis_cache import RedisCache
from perception_reward.service.cache.tiered import MemoryCache, VerdictCache

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


def test_values_come_back_in_the_order_of_the_keys():
    cache = MemoryCache(10_000)
    cache.put_many([(b"a", b"1"), (b"b", b"2")])
    assert cache.get_many([b"b", b"absent", b"a"]) == [b"2", None, b"1"]


def test_what_was_used_least_recently_leaves_first():
    cache = MemoryCache(10_000)
    cache.put_many([(b"a", b""), (b"b", b""), (b"c", b"")])
    cache.get_many([b"a"])
    three = MemoryCache(cache.size)
    three.put_many([(b"a", b""), (b"b", b""), (b"c", b"")])
    three.get_many([b"a"])
    three.put_many([(b"d", b"")])
    assert three.get_many([b"a", b"b", b"c", b"d"]) == [b"", None, b"", b""]


@given(st.lists(st.tuples(st.binary(max_size=3), st.binary(max_size=300))), st.integers(0, 2000))
def test_the_bound_in_bytes_always_holds(pairs: list[tuple[bytes, bytes]], bound: int):
    cache = MemoryCache(bound)
    for pair in pairs:
        cache.put_many([pair])
        assert cache.size <= bound
    assert (cache.size == 0) == (len(cache) == 0)


def test_a_value_larger_than_the_bound_is_not_kept():
    cache = MemoryCache(1000)
    cache.put_many([(b"a", bytes(2000))])
    assert cache.get_many([b"a"]) == [None]


@pytest.mark.parametrize("entries", [10_000, 50_000])
def test_the_counted_bytes_are_close_to_what_python_allocates(entries: int):
    cache = MemoryCache(10**9)
    tracemalloc.start()
    cache.put_many((b"pr1:v:" + os.urandom(16), os.urandom(26)) for _ in range(entries))
    allocated = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert cache.size == pytest.approx(allocated, rel=0.25)

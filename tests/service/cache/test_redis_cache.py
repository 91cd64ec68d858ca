from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis.asyncio

from perception_reward.service.cache import redis_cache
from perception_reward.service.cache.redis_cache import RedisCache

PAIRS = [(b"k%d" % n, b"v%d" % n) for n in range(1000)]
KEYS = [key for key, _ in PAIRS]
VALUES = [value for _, value in PAIRS]


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[RedisCache]:
    cache = RedisCache(url, **options)
    await cache.start()
    try:
        yield cache
    finally:
        await cache.aclose()


async def fill(url: str) -> None:
    """Closing writes what is queued."""
    async with opened(url) as cache:
        cache.put_many(PAIRS)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - the event is inside another process
            await asyncio.sleep(0.02)


@pytest.fixture
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_cache, "FIRST_BACKOFF", 0.05)
    monkeypatch.setattr(redis_cache, "LONGEST_BACKOFF", 0.1)


async def test_one_replica_reads_what_another_wrote(start_redis: Any):
    url = start_redis().url
    await fill(url)
    async with opened(url) as other:
        assert await other.get_many([*KEYS, b"absent"]) == [*VALUES, None]


async def test_very_many_keys_are_read_in_several_steps(start_redis: Any, recorder: Any):
    url = start_redis().url
    await fill(url)
    many = [b"absent%d" % n for n in range(262_144 - len(KEYS))]
    async with opened(url, observer=recorder) as cache, redis.asyncio.Redis.from_url(url) as client:
        await client.config_resetstat()
        assert await cache.get_many([*many, *KEYS]) == [None] * len(many) + VALUES
        assert (await client.info("commandstats"))["cmdstat_mget"]["calls"] == 32
        assert await cache.get_many(many[:8192]) == [None] * 8192
        assert (await client.info("commandstats"))["cmdstat_mget"]["calls"] == 33
        assert cache.up
    assert not recorder.errors


async def test_no_keys_need_no_redis(start_redis: Any, recorder: Any):
    server = start_redis()
    async with opened(server.url, observer=recorder) as cache:
        server.stop()
        assert await cache.get_many([]) == []
        server.resume()
    assert not recorder.errors


async def test_a_time_to_live_is_set(start_redis: Any):
    url = start_redis().url
    async with opened(url, ttl=100) as cache:
        cache.put_many([(b"k", b"v")])
    async with redis.asyncio.Redis.from_url(url) as client:
        assert 90 < await client.ttl("k") <= 100


async def test_a_redis_that_is_down_answers_misses_at_once(start_redis: Any, recorder: Any):
    server = start_redis()
    server.kill()
    async with opened(server.url, observer=recorder) as cache:
        assert await cache.get_many(KEYS) == [None] * 1000
        assert not cache.up
    assert recorder.up == [False]
    assert recorder.errors["connection"] >= 1


async def test_a_hung_redis_costs_one_deadline_and_not_one_per_request(start_redis: Any, recorder: Any):
    server = start_redis()
    async with opened(server.url, observer=recorder) as cache:
        server.stop()
        began = time.monotonic()
        for _ in range(20):
            assert await cache.get_many(KEYS) == [None] * 1000
        assert 0.2 < time.monotonic() - began < 3.0
        server.resume()
    assert recorder.errors == {"timeout": 1}


async def test_requests_that_were_cut_off_never_answer_later_ones(start_redis: Any, quick_backoff: None):
    server = start_redis()
    await fill(server.url)
    async with opened(server.url) as cache:
        server.stop()
        await cache.get_many(KEYS[:500])
        server.resume()

        async def right_again() -> bool:
            values = await cache.get_many(KEYS[500:])
            assert values in (VALUES[500:], [None] * 500)
            return values[0] is not None

        await until(right_again)


async def test_a_cancelled_request_leaves_no_answer_behind(start_redis: Any):
    server = start_redis()
    await fill(server.url)
    async with opened(server.url) as cache:
        server.stop()
        request = asyncio.create_task(cache.get_many(KEYS[:500]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        server.resume()
        assert await cache.get_many(KEYS[500:]) == VALUES[500:]


async def test_a_restarted_redis_is_used_again(start_redis: Any, recorder: Any, quick_backoff: None):
    server = start_redis()
    async with opened(server.url, observer=recorder) as cache:
        server.kill()
        await cache.get_many(KEYS)
        server.start()

        async def written() -> bool:
            cache.put_many(PAIRS)
            return await cache.get_many(KEYS) == VALUES

        await until(written)
        assert cache.up
    assert recorder.up == [True, False, True]


async def test_writes_to_a_hung_redis_hold_nobody_up(start_redis: Any):
    server = start_redis()
    async with opened(server.url) as cache:
        server.stop()
        began = time.monotonic()
        for _ in range(20):
            cache.put_many(PAIRS)
        assert time.monotonic() - began < 2.0
        server.resume()


async def test_the_queue_of_writes_is_bounded(start_redis: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redis_cache, "QUEUE_LIMIT", 100)
    async with opened(start_redis().url, observer=recorder) as cache:
        cache.put_many(PAIRS)
        assert recorder.errors == {"dropped": 1}


async def test_a_full_redis_still_answers_reads_and_is_written_to_once_there_is_room(
    start_redis: Any, recorder: Any, quick_backoff: None, caplog: pytest.LogCaptureFixture
):
    url = start_redis().url
    await fill(url)
    caplog.set_level(logging.INFO)
    async with opened(url, observer=recorder) as cache, redis.asyncio.Redis.from_url(url) as client:
        await client.config_set("maxmemory", "1")
        cache.put_many([(b"new", b"v")])

        async def refused() -> bool:
            return not cache.up

        await until(refused)
        assert cache.health == "refusing writes (OutOfMemoryError)"
        assert await cache.get_many(KEYS) == VALUES
        assert not cache.up, "answering reads is not taking writes"
        await client.config_set("maxmemory", "0")

        async def written() -> bool:
            return await cache.get_many([b"new"]) == [b"v"]

        await until(written)
        assert cache.health == "ok"
    assert recorder.up == [True, False, True]
    assert set(recorder.errors) == {"refused"}
    told = [entry.getMessage() for entry in caplog.records if entry.name.endswith("redis_cache")]
    assert len(told) == 2
    assert "refusing writes (OutOfMemoryError)" in told[0]
    assert "well again" in told[1]


async def test_an_outage_is_logged_once_and_so_is_its_end(
    start_redis: Any, quick_backoff: None, caplog: pytest.LogCaptureFixture
):
    server = start_redis(password="s3cret")
    caplog.set_level(logging.INFO)
    async with opened(server.url) as cache:
        assert not caplog.records, "a Redis that is well is not worth a line"
        server.kill()
        for _ in range(50):
            await cache.get_many(KEYS[:1])
            await asyncio.sleep(0.01)
        assert cache.health == "down (connection)"
        server.start()

        async def again() -> bool:
            await cache.get_many(KEYS[:1])
            return cache.up

        await until(again)
    told = [entry.getMessage() for entry in caplog.records]
    assert len(told) == 2
    assert f"127.0.0.1:{server.port} is down (connection)" in told[0]
    assert "is well again" in told[1]
    assert "s3cret" not in caplog.text


async def test_a_wrong_password_is_an_outage_and_stays_secret(
    start_redis: Any, recorder: Any, caplog: pytest.LogCaptureFixture
):
    server = start_redis(password="s3cret")
    async with opened(server.url.replace("s3cret", "wr0ng"), observer=recorder) as cache:
        assert await cache.get_many(KEYS) == [None] * 1000
    assert recorder.up == [False]
    assert "wr0ng" not in caplog.text


@pytest.mark.parametrize("url", ["redis://:s3/cret@host:1/0", "s3cret", "http://s3cret@host"])
def test_a_url_that_cannot_be_read_is_not_repeated(url: str):
    with pytest.raises(ValueError, match="redis://") as failure:
        RedisCache(url)
    assert "cret" not in str(failure.value)
    assert failure.value.__cause__ is None

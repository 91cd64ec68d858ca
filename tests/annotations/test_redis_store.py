from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from perception_reward.annotations import redis_store
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.redis_store import RedisStore
from perception_reward.annotations.store import StoreUnavailable
from perception_reward.annotations.version import Version
from perception_reward.trainer_client.wire import Fact

ONE = Annotation(id="a/é", answer="5", facts=[Fact(id="f1", text="Segment AB has length 5.")])


def note(annotation_id: str) -> Annotation:
    return Annotation(id=annotation_id)


@pytest.fixture
async def store(redis_url: str, request: pytest.FixtureRequest) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis_url, prefix=f"{request.node.name}:")
    await store.start()
    yield store
    await store.aclose()


async def test_what_is_put_is_got_in_the_order_asked(store: RedisStore) -> None:
    await store.put_many([ONE, note("b")])
    assert await store.get_many(["b", "none", "a/é", "b"]) == [note("b"), None, ONE, note("b")]
    assert await store.get_many([]) == []
    assert await store.count() == 2


async def test_replicas_see_what_one_of_them_puts(store: RedisStore, redis_url: str) -> None:
    replica = RedisStore(redis_url, prefix=store._prefix)  # pyright: ignore[reportPrivateUsage]
    await store.put_many([ONE])
    assert await replica.get_many([ONE.id]) == [ONE]
    await replica.aclose()


async def test_an_annotation_put_again_replaces_the_old_one(store: RedisStore) -> None:
    await store.put_many([ONE])
    await store.put_many([note(ONE.id)])
    assert await store.get_many([ONE.id]) == [note(ONE.id)]
    assert await store.count() == 1


async def test_deleting_says_whether_there_was_one(store: RedisStore) -> None:
    await store.put_many([ONE])
    assert await store.delete(ONE.id)
    assert not await store.delete(ONE.id)
    assert await store.count() == 0


async def test_putting_nothing_is_fine(store: RedisStore) -> None:
    await store.put_many([])
    assert (await store.list()).annotations == ()


async def test_large_loads_go_in_batches(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "WRITE_BATCH", 7)
    await store.put_many(note(f"p{n:03}") for n in range(50))
    assert await store.count() == 50


async def test_hundreds_of_calls_at_once_are_all_answered(store: RedisStore) -> None:
    await asyncio.gather(*(store.put_many([note(f"p{n}")]) for n in range(300)))
    assert await store.count() == 300


async def test_pages_follow_the_order_of_ids_and_survive_inserts(store: RedisStore) -> None:
    await store.put_many([note(one) for one in ("z", "é", "a", "𝛼", "b")])
    first = await store.list(limit=2)
    assert [one.id for one in first.annotations] == ["a", "b"]
    await store.put_many([note("aa"), note("c")])
    await store.delete("a")
    second = await store.list(cursor=first.cursor, limit=2)
    third = await store.list(cursor=second.cursor, limit=2)
    assert [one.id for one in (*second.annotations, *third.annotations)] == ["c", "z", "é", "𝛼"]
    assert third.cursor is None


async def test_a_wrong_cursor_is_a_value_error(store: RedisStore) -> None:
    with pytest.raises(ValueError, match="no cursor"):
        await store.list(cursor="!")


async def test_an_unreadable_value_spoils_no_neighbour(
    store: RedisStore, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await store.put_many([ONE, note("b")])
    async with Redis.from_url(redis_url) as redis:
        await redis.set(f"{store._prefix}b", '{"id": "b", "secret": "?"}')  # pyright: ignore[reportPrivateUsage]
    with caplog.at_level(logging.WARNING):
        assert await store.get_many(["b", ONE.id]) == [None, ONE]
    assert "'b'" in caplog.text
    assert "?" not in caplog.text


async def test_a_dead_redis_is_unavailable_and_its_password_stays_secret(start_redis: Callable[..., Any]) -> None:
    server = start_redis(password="open-sesame")
    store = RedisStore(server.url, timeout=1)
    await store.put_many([ONE])
    server.kill()
    for call in (store.count(), store.get_many(["a"]), store.put_many([ONE]), store.delete("a"), store.list()):
        with pytest.raises(StoreUnavailable) as caught:
            await call
        assert f"127.0.0.1:{server.port}" in str(caught.value)
        assert "open-sesame" not in str(caught.value)
    server.restart()
    await store.put_many([ONE])
    assert await store.get_many([ONE.id]) == [ONE]
    await store.aclose()


async def test_a_hung_redis_costs_one_timeout(start_redis: Callable[..., Any]) -> None:
    server = start_redis()
    store = RedisStore(server.url, timeout=0.2)
    await store.put_many([ONE])
    server.stop()
    started = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailable):
        await store.get_many(["a"])
    assert asyncio.get_running_loop().time() - started < 2
    server.resume()
    assert await store.get_many([ONE.id]) == [ONE]
    await store.aclose()


async def test_a_wrong_password_is_unavailable(start_redis: Callable[..., Any]) -> None:
    server = start_redis(password="right")
    store = RedisStore(server.url.replace("right", "wrong"))
    with pytest.raises(StoreUnavailable, match="AuthenticationError") as caught:
        await store.count()
    assert "wrong" not in str(caught.value)
    await store.aclose()


def test_a_url_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="is not one") as caught:
        RedisStore("http://:secret@host")
    assert "secret" not in str(caught.value)


async def test_an_outage_is_logged_once_and_so_is_its_end(start_redis: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = start_redis()
    caplog.set_level(logging.INFO)
    store = RedisStore(server.url, timeout=0.5)
    server.kill()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.count()
    server.start()
    assert await store.count() == 0
    await store.aclose()
    told = [entry.getMessage() for entry in caplog.records]
    assert len(told) == 2
    assert "not available" in told[0]
    assert "available again" in told[1]


async def test_writers_at_once_leave_the_version_of_what_is_stored(store: RedisStore, redis_url: str) -> None:
    replica = RedisStore(redis_url, prefix=store._prefix)  # pyright: ignore[reportPrivateUsage]
    puts = [(store, replica)[n % 2].put_many([Annotation(id=str(n % 7), answer=str(n))]) for n in range(40)]
    await asyncio.gather(*puts, store.delete("3"))
    await replica.aclose()
    stored = [one for one in await store.get_many([str(n) for n in range(7)]) if one is not None]
    assert (await store.get_many(["0"])).version == str(Version.of(stored))


async def test_what_was_stored_before_versions_were_has_none(store: RedisStore, redis_url: str) -> None:
    await store.put_many([note("a")])
    async with Redis.from_url(redis_url) as redis:
        await redis.delete(store._version)  # pyright: ignore[reportPrivateUsage]
    await store.put_many([note("b")])
    assert (await store.get_many(["a"])).version is None

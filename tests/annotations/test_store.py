"""What every annotation store promises, whichever it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from perception_reward.annotations.figures import Counts, Figures
from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.jsonl import write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.redis_store import RedisStore
from perception_reward.annotations.store import AnnotationStore, StoreError, StoreReadOnly, StoreUnavailable, every
from perception_reward.annotations.version import Version
from perception_reward.trainer_client.wire import Fact

# In the order of ids: by code point, which is also the order of the bytes.
IDS = ["B", "a", "a/1", "a:b", "é", "图", "😀"]


def note(annotation_id: str, answer: str | None = None) -> Annotation:
    return Annotation(id=annotation_id, answer=answer, facts=[Fact(id="f", text="Segment AB has length 5.")])


@pytest.fixture(params=["memory", "file", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnnotationStore]:
    made: AnnotationStore
    if request.param == "memory":
        made = FileStore()
    elif request.param == "file":
        write_jsonl(tmp_path / "own.jsonl", [])
        made = FileStore([tmp_path / "own.jsonl"])
    else:
        made = RedisStore(request.getfixturevalue("redis_url"), prefix=f"{request.node.name}:")
    await made.start()
    yield made
    await made.aclose()


async def test_an_empty_store_knows_nothing(store: AnnotationStore) -> None:
    assert await store.count() == 0
    assert await store.get_many([]) == []
    assert await store.get_many(["a"]) == [None]
    assert (await store.list()).annotations == ()
    assert (await store.list()).cursor is None
    assert await store.delete("a") is False


async def test_what_is_put_is_got_in_the_order_asked_and_repeats_are_answered(store: AnnotationStore) -> None:
    await store.put_many(note(one) for one in IDS)
    assert await store.get_many(["a:b", "none", "😀", "a:b"]) == [note("a:b"), None, note("😀"), note("a:b")]
    assert await store.count() == len(IDS)


async def test_putting_nothing_changes_nothing(store: AnnotationStore) -> None:
    await store.put_many([])
    assert await store.count() == 0


async def test_an_annotation_put_again_replaces_the_old_one(store: AnnotationStore) -> None:
    await store.put_many([note("a", "1")])
    await store.put_many([note("a", "2")])
    assert await store.get_many(["a"]) == [note("a", "2")]
    assert await store.count() == 1


async def test_of_two_with_one_id_in_one_call_the_last_stands(store: AnnotationStore) -> None:
    await store.put_many([note("a", "1"), note("a", "2")])
    assert await store.get_many(["a"]) == [note("a", "2")]
    assert await store.count() == 1


async def test_what_is_deleted_is_gone_and_deleting_it_again_says_so(store: AnnotationStore) -> None:
    await store.put_many([note("a"), note("b")])
    assert await store.delete("a") is True
    assert await store.delete("a") is False
    assert await store.get_many(["a", "b"]) == [None, note("b")]
    assert await store.count() == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_hold_every_annotation_once_in_the_order_of_ids(store: AnnotationStore, limit: int) -> None:
    await store.put_many(note(one) for one in reversed(IDS))
    found: list[str] = []
    cursor: str | None = None
    for _ in range(len(IDS) + 1):
        page = await store.list(cursor=cursor, limit=limit)
        assert len(page.annotations) <= limit
        found += [annotation.id for annotation in page.annotations]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == IDS
    assert cursor is None


async def test_a_listing_goes_on_where_it_was_although_its_last_annotation_was_deleted(
    store: AnnotationStore,
) -> None:
    await store.put_many(note(one) for one in IDS)
    page = await store.list(limit=2)
    await store.delete(IDS[1])
    rest = await store.list(cursor=page.cursor)
    assert [annotation.id for annotation in rest.annotations] == IDS[2:]


@pytest.mark.parametrize("cursor", ["no cursor!", "é", "_w", "A" * 5000])
async def test_a_cursor_that_is_none_is_refused(store: AnnotationStore, cursor: str) -> None:
    with pytest.raises(ValueError, match="no cursor"):
        await store.list(cursor=cursor)


async def test_reading_again_keeps_what_was_put(store: AnnotationStore) -> None:
    await store.put_many([note("a")])
    await store.reload()
    assert await store.get_many(["a"]) == [note("a")]


@pytest.mark.parametrize("error", [StoreUnavailable, StoreReadOnly])
def test_whoever_catches_a_store_error_catches_every_kind(error: type[Exception]) -> None:
    assert issubclass(error, StoreError)


async def test_every_annotation_can_be_read_in_the_order_of_ids(
    store: AnnotationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perception_reward.annotations.store.PAGE", 2)
    await store.put_many(Annotation(id=name) for name in "ebdac")
    assert [found.id async for found in every(store)] == list("abcde")


async def test_the_version_is_that_of_the_content_whatever_led_to_it(store: AnnotationStore) -> None:
    await store.put_many([note("a"), note("b", "1"), note("c")])
    first = (await store.get_many(["a"])).version
    assert first == str(Version.of([note("c"), note("a"), note("b", "1")]))
    await store.put_many([note("b", "2"), note("d"), note("d", "3")])
    await store.delete("c")
    assert (await store.get_many(["none"])).version == str(Version.of([note("a"), note("b", "2"), note("d", "3")]))
    await store.put_many([note("b", "1"), note("c")])
    await store.delete("d")
    assert (await store.get_many(["a"])).version == first


async def test_a_store_is_not_changed_by_what_it_writes_itself(store: AnnotationStore) -> None:
    await store.put_many([note("a")])
    assert await store.changed() is False


async def test_figures_stay_in_the_header_when_what_they_are_about_changes(store: AnnotationStore) -> None:
    await store.put_many([note("a")])
    before = await store.header()
    assert (before.version, before.figures) == (str(Version.of([note("a")])), None)
    total = Counts(facts=1, right=1)
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    figures = Figures(version="v", gold="g", gold_version="w", method="symbolic", created=now, problems=1, total=total)
    await store.record(figures)
    await store.put_many([note("b")])
    await store.reload()
    after = await store.header()
    assert (after.version, after.figures) == (str(Version.of([note("a"), note("b")])), figures)
    assert await store.count() == 2
    assert await store.changed() is False

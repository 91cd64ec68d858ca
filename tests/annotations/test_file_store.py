from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from perception_reward.annotations.faults import RecordFileError
from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.jsonl import read_annotations, write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.store import StoreReadOnly, StoreUnavailable
from perception_reward.annotations.version import Version


def note(annotation_id: str, answer: str | None = None) -> Annotation:
    return Annotation(id=annotation_id, answer=answer)


def ids_in(path: Path) -> list[str]:
    return sorted(found.id for found in read_annotations(path).values())


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.jsonl"
    write_jsonl(path, [note("a", "1"), note("c", "3")])
    return path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.jsonl"
    write_jsonl(path, [note("b", "2")])
    return path


@pytest.fixture
async def store(own: Path, other: Path) -> AsyncIterator[FileStore]:
    store = FileStore([own, other])
    await store.start()
    yield store
    await store.aclose()


async def test_annotations_of_all_files_are_read_in_the_order_asked(store: FileStore) -> None:
    found = await store.get_many(["c", "x", "b", "c"])
    assert [one and one.answer for one in found] == ["3", None, "2", "3"]
    assert await store.count() == 3


async def test_a_write_is_on_disk_when_it_is_answered(store: FileStore, own: Path, other: Path) -> None:
    await store.put_many([note("d"), note("a", "new")])
    assert ids_in(own) == ["a", "c", "d"]
    assert ids_in(other) == ["b"]
    again = FileStore([own, other])
    await again.start()
    assert (await again.get_many(["a"]))[0] == note("a", "new")


async def test_deleting_says_whether_there_was_one(store: FileStore, own: Path) -> None:
    assert await store.delete("a")
    assert not await store.delete("a")
    assert ids_in(own) == ["c"]
    assert await store.count() == 2


async def test_many_writes_at_once_are_all_kept(store: FileStore, own: Path) -> None:
    await asyncio.gather(*(store.put_many([note(f"n{n}")]) for n in range(50)))
    assert len(ids_in(own)) == 52


async def test_a_caller_who_leaves_does_not_stop_the_writes_of_others(store: FileStore, own: Path) -> None:
    leaving = asyncio.create_task(store.put_many([note("x")]))
    staying = asyncio.create_task(store.put_many([note("y")]))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert "y" in ids_in(own)
    await store.put_many([note("z")])
    assert "z" in ids_in(own)


async def test_annotations_of_later_files_are_only_read(store: FileStore, own: Path) -> None:
    with pytest.raises(StoreReadOnly, match=r"'b' is in other\.jsonl"):
        await store.put_many([note("d"), note("b", "new")])
    with pytest.raises(StoreReadOnly):
        await store.delete("b")
    assert ids_in(own) == ["a", "c"]


async def test_a_table_takes_no_writes(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": ["a"]}), path)
    store = FileStore([path])
    await store.start()
    assert await store.get_many(["a"]) == [note("a")]
    with pytest.raises(StoreReadOnly, match=r"name a \.jsonl file first"):
        await store.put_many([note("b")])


async def test_a_write_that_fails_changes_nothing(store: FileStore, own: Path) -> None:
    os.unlink(own)
    with pytest.raises(StoreUnavailable, match="could not be written, and nothing was changed"):
        await store.put_many([note("d")])
    assert await store.get_many(["d"]) == [None]


async def test_a_file_changed_by_someone_else_is_not_overwritten(store: FileStore, own: Path) -> None:
    write_jsonl(own, [note("theirs")])
    with pytest.raises(StoreUnavailable, match="changed on disk"):
        await store.put_many([note("mine")])
    await store.reload()
    await store.put_many([note("mine")])
    assert ids_in(own) == ["mine", "theirs"]


async def test_reloading_shows_the_new_contents(store: FileStore, own: Path) -> None:
    write_jsonl(own, [note("z")])
    await store.reload()
    assert [one.id for one in (await store.list()).annotations] == ["b", "z"]


async def test_an_unreadable_new_file_leaves_the_old_contents(store: FileStore, own: Path) -> None:
    await asyncio.to_thread(own.write_text, "{")
    with pytest.raises(RecordFileError, match=r"own\.jsonl line 1: is not JSON"):
        await store.reload()
    os.unlink(own)
    with pytest.raises(FileNotFoundError):
        await store.reload()
    assert await store.count() == 3


async def test_an_id_in_two_files_names_both(own: Path, other: Path) -> None:
    write_jsonl(other, [note("b"), note("c")])
    with pytest.raises(RecordFileError, match=r"other\.jsonl line 2: the id 'c' is already in own\.jsonl"):
        await FileStore([own, other]).start()


async def test_pages_follow_the_order_of_ids_and_survive_inserts(store: FileStore) -> None:
    first = await store.list(limit=2)
    assert [one.id for one in first.annotations] == ["a", "b"]
    await store.put_many([note("aa"), note("bb")])
    await store.delete("a")
    second = await store.list(cursor=first.cursor, limit=2)
    assert [one.id for one in second.annotations] == ["bb", "c"]
    assert second.cursor is None


async def test_a_wrong_cursor_is_a_value_error(store: FileStore) -> None:
    with pytest.raises(ValueError, match="no cursor"):
        await store.list(cursor="!")


async def test_without_files_the_store_is_memory_alone() -> None:
    store = FileStore()
    await store.start()
    await store.put_many([note("a")])
    await store.reload()
    assert await store.count() == 1
    assert await store.delete("a")
    assert (await store.list()).annotations == ()
    await store.aclose()


async def test_a_file_that_others_write_has_changed_until_it_is_looked_at_again(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write_jsonl(first, [note("a")])
    write_jsonl(second, [note("b")])
    store = FileStore([first, second])
    await store.start()
    assert await store.changed() is False
    write_jsonl(second, [note("b", "new"), note("c")])
    assert await store.changed() is True
    await store.put_many([note("d")])
    assert await store.changed() is True
    await store.reload()
    assert await store.changed() is False
    assert (await store.get_many(["c"])).version == str(Version.of([note("a"), note("b", "new"), note("c"), note("d")]))
    second.unlink()
    assert await store.changed() is True
    with pytest.raises(FileNotFoundError):
        await store.reload()
    assert await store.changed() is False

"""A marked store hands out annotations with their given facts marked, and changes nothing that is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.jsonl import read_annotations, write_jsonl
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.store import StoreUnavailable, every
from perception_reward.service.judges.base import Missing, Verdict
from perception_reward.service.scoring import marked_store
from perception_reward.service.scoring.marked_store import MarkedStore
from perception_reward.trainer_client.wire import Fact


def problem(name: str, question: str | None = "AB = 5. Find x.") -> Annotation:
    return Annotation(id=name, question=question, facts=[Fact(id="f", text="Segment AB has length 5.")])


def reads(task: Any) -> list[Verdict]:
    return [Verdict("stated", 0.9) if "AB = 5" in task.response else Verdict("absent", 0.1) for _ in task.facts]


@pytest.fixture
def made(tmp_path: Path, scripted_judge: Callable[..., Any]) -> Callable[..., Any]:
    async def make(*annotations: Annotation, decide: Any = reads) -> tuple[MarkedStore, Any, Path]:
        path = tmp_path / "annotations.jsonl"
        write_jsonl(path, annotations)
        judge = scripted_judge(decide)
        store = MarkedStore(FileStore([path]), judge, max_response_chars=1000)
        await store.start()
        return store, judge, path

    return make


async def origin(store: MarkedStore, name: str) -> str | None:
    (found,) = await store.get_many([name])
    return found.facts[0].origin if found is not None else None


async def test_what_is_read_is_marked_once_and_the_file_stays_as_it_is(made: Callable[..., Any]) -> None:
    store, judge, path = await made(problem("a"), problem("b", "Find x."))
    before = path.read_bytes()
    for _ in range(2):
        found = await store.get_many(["b", "none", "a", "a"])
        assert [one and one.facts[0].origin for one in found] == ["seen", None, "given", "given"]
        assert [one.facts[0].origin async for one in every(store)] == ["given", "seen"]
    assert len(judge.batches) == 1
    assert path.read_bytes() == before
    await store.aclose()


async def test_what_is_put_or_changed_in_the_file_is_marked_anew_and_kept_without_marks(
    made: Callable[..., Any],
) -> None:
    store, _, path = await made(problem("a", "Find x."))
    assert await origin(store, "a") == "seen"
    await store.put_many([problem("a"), problem("b")])
    assert (await origin(store, "a"), await origin(store, "b")) == ("given", "given")
    assert [one.facts[0].origin for one in read_annotations(path).values()] == ["seen", "seen"]
    write_jsonl(path, [problem("b", "Find x.")])
    await store.reload()
    assert (await origin(store, "a"), await origin(store, "b")) == (None, "seen")
    assert await store.count() == 1
    assert await store.delete("b")
    assert await origin(store, "b") is None


async def test_an_annotation_cannot_be_had_unmarked_and_is_asked_about_again(made: Callable[..., Any]) -> None:
    store, judge, _ = await made(problem("a"), problem("b", None), decide=lambda task: [Missing("judge_unavailable")])
    with pytest.raises(StoreUnavailable, match=r"judge_unavailable 1.*annotations mark-given"):
        await store.get_many(["a"])
    assert await origin(store, "b") == "seen"
    judge.decide = reads
    assert await origin(store, "a") == "given"


async def test_no_more_marks_are_remembered_than_may_be(
    made: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marked_store, "MOST_REMEMBERED", 2)
    monkeypatch.setattr(marked_store, "BATCH", 2)
    store, judge, _ = await made(*map(problem, "abc"))
    assert [one.facts[0].origin async for one in every(store)] == ["given"] * 3
    assert len(judge.batches) == 2
    assert await origin(store, "c") == "given"
    assert len(judge.batches) == 2
    assert await origin(store, "a") == "given"
    assert len(judge.batches) == 3

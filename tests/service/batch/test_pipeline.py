from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.service.batch import pipeline
from perception_reward.service.batch.chunks import Chunk, Scored, Tally
from perception_reward.service.batch.files import Files
from perception_reward.service.batch.pipeline import chunks, run
from perception_reward.service.batch.selection import Condition, Selection


@pytest.fixture(autouse=True)
def _two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "RECORDS", 2)


def files(tmp_path: Path, *counts: int) -> Files:
    paths = [tmp_path / f"{number}.jsonl" for number in range(len(counts))]
    for number, path in enumerate(paths):
        rows = [{"id": f"{number}-{row}", "response": "x", "n": row} for row in range(counts[number])]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return Files(paths)


def names(found: Any) -> list[list[Any]]:
    return [[record["id"] for _, record in chunk.records] for chunk in found]


def test_chunks_are_of_one_file_each_and_go_on_behind_a_place(tmp_path: Path):
    several = files(tmp_path, 3, 0, 2)
    found = list(chunks(several, Selection()))
    assert names(found) == [["0-0", "0-1"], ["0-2"], ["2-0", "2-1"]]
    assert [chunk.end for chunk in found] == [(0, 2), (0, 3), (2, 2)]
    for number, chunk in enumerate(found):
        assert names(chunks(several, Selection(), chunk.end)) == names(found[number + 1 :])


def test_the_limit_counts_what_an_earlier_run_has_taken(tmp_path: Path):
    several = files(tmp_path, 3, 3)
    assert names(chunks(several, Selection(limit=4))) == [["0-0", "0-1"], ["0-2"], ["1-0"]]
    assert names(chunks(several, Selection(limit=4), (0, 3), 3)) == [["1-0"]]
    assert names(chunks(several, Selection(limit=4), (1, 1), 4)) == []


def test_conditions_choose(tmp_path: Path):
    assert names(chunks(files(tmp_path, 5), Selection([Condition.read("n>=2"), Condition.read("n!=3")]))) == [
        ["0-2", "0-4"]
    ]


def test_long_records_travel_in_smaller_company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pipeline, "CHARACTERS", 3)
    assert names(chunks(files(tmp_path, 2), Selection())) == [["0-0"], ["0-1"]]


def test_a_file_that_ends_too_early_ends_the_job_or_is_one_faulty_record(tmp_path: Path):
    several = files(tmp_path, 1, 1)
    (tmp_path / "0.jsonl").write_bytes(b"\x1f\x8bno gzip")
    with pytest.raises(RecordFileError):
        list(chunks(several, Selection()))
    bad, good = chunks(several, Selection(), skip_bad=True)
    ((_, fault),) = bad.records
    assert isinstance(fault, LineError)
    assert bad.end == (1, 0)
    assert names([good]) == [["1-0"]]


def scored(chunk: Chunk) -> Scored:
    return Scored([str(chunk.end).encode()], len(chunk.records), Tally())


async def test_results_are_written_in_order_while_a_slow_chunk_is_waited_for(tmp_path: Path):
    first_may_end, written = asyncio.Event(), list[Any]()
    begun: list[Any] = []

    async def score(chunk: Chunk) -> Scored:
        begun.append(chunk.end)
        if len(begun) == 3:
            first_may_end.set()
        if chunk.end == (0, 2):
            await first_may_end.wait()
        return scored(chunk)

    ended = await run(
        chunks(files(tmp_path, 12), Selection()),
        score,
        lambda chunk, _: written.append(chunk.end),
        ahead=3,
        stopping=asyncio.Event(),
    )
    assert ended
    assert written == sorted(written) == [(0, place) for place in range(2, 13, 2)]


async def test_no_more_chunks_are_under_way_than_asked_for(tmp_path: Path):
    under_way, most, full = 0, 0, asyncio.Event()

    async def score(chunk: Chunk) -> Scored:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 3:
            full.set()
        await full.wait()
        under_way -= 1
        return scored(chunk)

    await run(chunks(files(tmp_path, 20), Selection()), score, lambda *_: None, ahead=3, stopping=asyncio.Event())
    assert most == 3


async def test_what_is_under_way_is_finished_when_the_job_is_stopped(tmp_path: Path):
    stopping, begun, written = asyncio.Event(), list[Any](), list[Any]()

    async def score(chunk: Chunk) -> Scored:
        begun.append(chunk.end)
        if len(begun) == 2:
            stopping.set()
        return scored(chunk)

    ended = await run(
        chunks(files(tmp_path, 20), Selection()),
        score,
        lambda chunk, _: written.append(chunk.end),
        ahead=2,
        stopping=stopping,
    )
    assert not ended
    assert written == begun
    assert len(begun) == 2

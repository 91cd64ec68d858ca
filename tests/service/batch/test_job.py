from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from perception_reward.service.batch import pipeline
from perception_reward.service.batch.chunks import Asking, Chunk, Scored, score_chunk
from perception_reward.service.batch.files import Files
from perception_reward.service.batch.job import Job, Unreadable
from perception_reward.service.batch.selection import Selection

from .test_chunks import Recorded


@pytest.fixture(autouse=True)
def _two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "RECORDS", 2)


def job(tmp_path: Path, *, skip_bad: bool, bad: tuple[int, ...] = (6,), out: str = "out.jsonl") -> Job:
    items = tmp_path / "items.jsonl"
    if not items.exists():
        rows: list[dict[str, Any]] = [{"id": f"r-{n}", "response": "x"} for n in range(1, 11)]
        for place in bad:
            rows[place - 1] = {"id": "bad"}
        items.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return Job(Files([items]), Selection(), Asking(), tmp_path / out, skip_bad=skip_bad)


async def run(one: Job) -> bool:
    async def score(chunk: Chunk) -> Scored:
        return await score_chunk(chunk, Asking(), Recorded())

    ended, _ = await one.run(score, "judge", ahead=2, stopping=asyncio.Event())
    return ended


async def test_the_first_record_that_cannot_be_read_ends_the_job_wherever_it_stands(tmp_path: Path):
    with pytest.raises(Unreadable, match=r"items.jsonl line 6: response: there is none"):
        await run(job(tmp_path, skip_bad=False))
    # What stands before it is kept, and the same command ends at once, with nothing scored twice.
    part = tmp_path / "out.jsonl.part"
    kept = part.read_text(encoding="utf-8")
    assert [json.loads(line)["id"] for line in kept.splitlines()] == [f"r-{n}" for n in range(1, 6)]
    with pytest.raises(Unreadable, match="an earlier run has met 1 records"):
        await run(job(tmp_path, skip_bad=False))
    assert part.read_text(encoding="utf-8") == kept


async def test_a_job_that_such_a_record_has_ended_goes_on_once_it_may_be_skipped(tmp_path: Path):
    with pytest.raises(Unreadable):
        await run(job(tmp_path, skip_bad=False))
    assert await run(job(tmp_path, skip_bad=True))
    assert await run(job(tmp_path, skip_bad=True, out="unbroken.jsonl"))
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "unbroken.jsonl").read_bytes()
    (row,) = (tmp_path / "out.jsonl.missing.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(row)["place"] == "items.jsonl line 6"

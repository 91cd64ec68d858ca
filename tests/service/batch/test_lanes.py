"""Lanes are real processes here: two at once, and one of them killed in the middle."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from perception_reward.service.batch.chunks import Asking, Chunk, Scored
from perception_reward.service.batch.lanes import Setup, Team, lanes
from perception_reward.service.batch.layouts import OURS
from perception_reward.service.settings import Settings, SettingsError


def chunk(*numbers: int) -> Chunk:
    records: list[Any] = [
        (number, {"id": f"r-{number}", "response": f"{number} " * 2000 + "\\boxed{5}", "answer": "5"})
        for number in numbers
    ]
    return Chunk(0, "a.jsonl", "line", OURS, records, (0, numbers[-1]))


def ids(scored: Scored) -> list[str]:
    return [json.loads(line)["id"] for line in b"".join(scored.results).splitlines()]


async def test_lanes_answer_side_by_side_and_one_that_is_killed_is_replaced():
    async with lanes(Settings(), Setup(Asking()), 2) as team:
        assert team.fingerprint
        asked = [asyncio.ensure_future(team.score(chunk(*range(n * 100, n * 100 + 100)))) for n in range(4)]
        await asyncio.sleep(0)
        kill(team)
        found = await asyncio.gather(*asked)
    assert [ids(scored) for scored in found] == [[f"r-{k}" for k in range(n * 100, n * 100 + 100)] for n in range(4)]
    assert sum(scored.tally.items for scored in found) == 400


@pytest.mark.faults
async def test_a_record_that_no_lane_survives_is_told_and_its_neighbours_are_scored(monkeypatch: pytest.MonkeyPatch):
    async with lanes(Settings(), Setup(Asking()), 1) as team:
        ask = type(team._lanes[0]).ask  # pyright: ignore[reportPrivateUsage]

        async def killing(lane: Any, asked: Chunk) -> Scored:
            if any(place == 3 and isinstance(record, dict) for place, record in asked.records):
                kill(team)
            return await ask(lane, asked)

        monkeypatch.setattr(type(team._lanes[0]), "ask", killing)  # pyright: ignore[reportPrivateUsage]
        scored = await team.score(chunk(1, 2, 3, 4))
    assert ids(scored) == ["r-1", "r-2", "r-4"]
    (row,) = scored.missing
    assert row["reason"] == "unreadable"
    assert "line 3: ended two processes" in row["message"]


async def test_a_lane_that_cannot_start_says_why():
    with pytest.raises(SettingsError, match="annotations"):
        async with lanes(Settings(annotations=("/none/a.jsonl",)), Setup(Asking()), 1):
            pass


def kill(team: Team) -> None:
    lane = team._lanes[0]  # pyright: ignore[reportPrivateUsage]
    lane._process.kill()  # pyright: ignore[reportPrivateUsage]

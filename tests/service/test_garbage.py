from __future__ import annotations

import asyncio
import gc

import pytest

from perception_reward.service import garbage
from perception_reward.service.admission import Admission


class Cycle:
    def __init__(self) -> None:
        self.own = self


def survivors(kind: type) -> int:
    return sum(type(one) is kind for one in gc.get_objects())


@pytest.fixture
def one_is_worthwhile(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(garbage, "WORTHWHILE", 0)
    monkeypatch.setattr(garbage, "EVERY_SECONDS", 0.01)


@pytest.mark.usefixtures("one_is_worthwhile")
async def test_cycles_are_collected_when_no_request_is_under_way():
    admission = Admission(1)
    async with garbage.collected_when_idle(admission):
        with admission.request():
            Cycle()
            gc.collect(1)
            Cycle()
            await asyncio.sleep(0.05)
            assert survivors(Cycle) > 0
        async with asyncio.timeout(10):
            while survivors(Cycle):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    gc.unfreeze()


async def test_no_full_collection_comes_in_the_middle_of_many_new_objects():
    full: list[str] = []
    usual = gc.get_threshold()

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            full.append(phase)

    async with garbage.collected_when_idle(Admission(1)):
        gc.callbacks.append(note)
        kept = [[number] for number in range(2_000_000)]
        gc.callbacks.remove(note)
    gc.unfreeze()
    assert len(kept) == 2_000_000
    assert full == []
    assert gc.get_threshold() == usual


@pytest.mark.usefixtures("one_is_worthwhile")
async def test_many_objects_that_stay_are_looked_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(garbage, "SLOW_SECONDS", 0.0)
    async with garbage.collected_when_idle(Admission(1)):
        before = gc.get_freeze_count()
        kept = [[number] for number in range(garbage.MANY_OBJECTS + 1)]
        async with asyncio.timeout(30):
            while gc.get_freeze_count() < before + len(kept):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    gc.unfreeze()

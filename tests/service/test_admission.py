from __future__ import annotations

import asyncio

import pytest

from perception_reward.service.admission import Admission, Overloaded


async def test_places_are_given_back():
    admission = Admission(10)
    with admission.admit(10):
        assert admission.pending_items == 10
    with admission.admit(10):
        pass
    assert admission.pending_items == 0


async def test_more_than_there_is_room_for_is_refused_with_a_time_to_try_again():
    admission = Admission(10)
    with admission.admit(6), pytest.raises(Overloaded) as caught, admission.admit(5):
        pass
    assert 1 <= caught.value.retry_after <= 30
    assert admission.pending_items == 0


async def test_a_failed_request_gives_its_places_back():
    admission = Admission(10)
    with pytest.raises(ValueError, match="broken"), admission.admit(4):
        raise ValueError("broken")
    assert admission.pending_items == 0


async def test_a_drain_waits_for_requests_under_way():
    admission = Admission(10)
    with admission.request():
        drained = asyncio.create_task(admission.drained())
        await asyncio.sleep(0)
        assert not drained.done()
    async with asyncio.timeout(5):
        await drained

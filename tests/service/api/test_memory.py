from __future__ import annotations

import pytest
from starlette.exceptions import HTTPException

from perception_reward.service.api.memory import Memory
from perception_reward.service.metrics import Metrics

MIB = 1 << 20


def test_what_can_never_fit_is_too_large_and_what_may_fit_later_is_to_be_tried_again():
    metrics = Metrics()
    memory = Memory(10 * MIB, metrics)
    first, second, third = memory.share(), memory.share(), memory.share()
    first.take(6 * MIB)
    with pytest.raises(HTTPException) as later:
        second.take(5 * MIB)
    with pytest.raises(HTTPException) as never:
        third.take(11 * MIB)
    assert (later.value.status_code, never.value.status_code) == (429, 413)
    assert (later.value.headers or {})["Retry-After"] == "1"
    for share in (second, third):
        share.release()
    second.take(4 * MIB)
    assert memory.held == 10 * MIB
    said = metrics.exposition().decode()
    assert 'refused_total{reason="no_room"} 1.0' in said
    assert 'refused_total{reason="too_large"} 1.0' in said


def test_what_is_made_of_a_body_counts_once():
    memory = Memory(10 * MIB, Metrics())
    share = memory.share()
    share.take(MIB)
    share.make(2 * MIB)
    share.make(MIB)
    share.make(3 * MIB)
    assert memory.held == 4 * MIB
    share.release()
    assert memory.held == 0

from __future__ import annotations

import pytest

from perception_reward.service.batch.tally import Tally
from perception_reward.trainer_client.wire import Components, ItemResult


def result(perception: float | None, score: float | None, reason: str | None = None) -> ItemResult:
    parts = Components(format=1.0, accuracy=None, perception=perception, repetition=0.0)
    status = "ok" if reason is None else "missing"
    return ItemResult(id=None, status=status, score=score, components=parts, facts=None, reason=reason)


def test_means_are_over_those_that_have_a_value_and_missing_is_no_zero():
    tally = Tally()
    tally.add([result(1.0, 0.8), result(0.5, 0.4)])
    tally.add([result(None, None, "judge_timeout")])
    assert (tally.items, tally.missing, tally.reasons) == (3, 1, {"judge_timeout": 1})
    assert tally.mean("perception") == 0.75
    assert tally.mean("score") == pytest.approx(0.6)
    assert tally.mean("accuracy") is None
    assert (tally.given["format"], tally.given["score"]) == (3, 2)

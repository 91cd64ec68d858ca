from __future__ import annotations

import logging

import pytest

from perception_reward.trainer_client import Components, ItemResult, TooManyMissing
from perception_reward.trainer_client.breaker import Breaker
from perception_reward.trainer_client.missing import missing_result

NOTHING = Components(format=None, accuracy=None, perception=None, repetition=None)
GOOD = ItemResult(id=None, status="ok", score=1.0, components=NOTHING, facts=None, reason=None)
BAD = missing_result(None, "judge_unavailable")


def test_a_window_that_is_not_full_says_nothing() -> None:
    Breaker(0.2, 200).record([BAD] * 199)


def test_the_limit_itself_is_allowed_and_one_more_is_not() -> None:
    breaker = Breaker(0.2, 10)
    breaker.record([BAD] * 2 + [GOOD] * 8)
    with pytest.raises(TooManyMissing, match="3 of the last 10 scores are missing") as error:
        breaker.record([GOOD] * 7 + [BAD] * 3)
    assert "judge_unavailable 3" in str(error.value)
    assert "20%" in str(error.value)


def test_what_is_long_past_counts_no_more() -> None:
    breaker = Breaker(0.2, 10)
    for _ in range(20):
        breaker.record([GOOD] * 4 + [BAD])


def test_a_long_call_is_taken_as_a_whole() -> None:
    breaker = Breaker(0.2, 10)
    breaker.record([GOOD] * 90 + [BAD] * 10)
    with pytest.raises(TooManyMissing, match="30 of the last 100"):
        breaker.record([BAD] * 30 + [GOOD] * 70)


def test_a_limit_of_one_never_stops() -> None:
    Breaker(1.0, 10).record([BAD] * 100)


def test_what_is_missing_is_logged_with_its_reasons_and_ever_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    breaker = Breaker(1.0, 10)
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            breaker.record([GOOD, BAD if number % 2 else missing_result(None, "judge_timeout")])
    assert len(caplog.records) == 7
    assert caplog.messages[0] == "perception_reward: 1 of the 2 scores so far are missing (judge_timeout 1)"
    assert "64 of the 128 scores so far are missing (judge_timeout 32, judge_unavailable 32)" in caplog.messages[-1]

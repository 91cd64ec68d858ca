from __future__ import annotations

import pytest

from perception_reward.service.processes.history import CHUNK_MOST, CHUNK_SECONDS, FIRST_TRY_SECONDS, History


def after(*seconds: float) -> History:
    history = History()
    for each in seconds:
        history.observe(each)
    return history


def test_before_anything_is_known_the_first_try_is_short_and_chunks_are_large() -> None:
    assert History().first_try == FIRST_TRY_SECONDS
    assert History().chunk == CHUNK_MOST


@pytest.mark.parametrize("ordinary", [0.001, 0.4, 1.0, 3.0])
def test_a_first_try_is_long_enough_for_what_is_ordinary(ordinary: float) -> None:
    assert after(*[ordinary] * 20).first_try > ordinary


def test_cheap_payloads_do_not_hide_that_most_work_is_in_long_ones() -> None:
    assert after(*[0.005, 1.0] * 20).first_try > 1.0


def test_one_odd_payload_changes_nothing() -> None:
    assert after(*[0.01] * 2000, 4.0).first_try == FIRST_TRY_SECONDS


def test_what_was_long_ago_is_forgotten() -> None:
    assert after(*[2.0] * 50, *[0.1] * 2000).first_try == FIRST_TRY_SECONDS


def test_a_chunk_takes_a_moment() -> None:
    history = after(*[0.01] * 50)
    assert history.chunk * 0.01 == pytest.approx(CHUNK_SECONDS, rel=0.25)
    assert after(*[1.0] * 5).chunk == 1
    assert after(*[0.0] * 5).chunk > CHUNK_MOST

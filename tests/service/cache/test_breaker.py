from __future__ import annotations

import pytest

from perception_reward.service.backoff import Backoff
from perception_reward.service.cache.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(Backoff(1.0, 8.0), clock)


def test_a_failure_stops_requests_until_the_back_off_has_passed(breaker: Breaker, clock: Clock):
    assert breaker.admit()
    breaker.failed()
    assert not breaker.admit()
    clock.now = 1.0
    assert breaker.admit()


def test_only_one_request_probes(breaker: Breaker, clock: Clock):
    breaker.failed()
    clock.now = 1.0
    assert [breaker.admit() for _ in range(3)] == [True, False, False]


def test_a_probe_that_succeeds_closes_it(breaker: Breaker, clock: Clock):
    breaker.failed()
    clock.now = 1.0
    breaker.admit()
    breaker.succeeded()
    assert breaker.closed
    assert breaker.admit()


def test_a_probe_that_fails_opens_it_for_longer(breaker: Breaker, clock: Clock):
    breaker.failed()
    clock.now = 1.0
    breaker.admit()
    breaker.failed()
    clock.now = 1.99
    assert not breaker.admit()
    clock.now = 3.0
    assert breaker.admit()


def test_a_probe_that_was_cancelled_leaves_the_next_one_its_turn(breaker: Breaker, clock: Clock):
    breaker.failed()
    clock.now = 1.0
    breaker.admit()
    breaker.abandoned()
    assert breaker.admit()


def test_requests_that_fail_together_are_one_failure(breaker: Breaker, clock: Clock):
    for _ in range(10):
        breaker.failed()
    clock.now = 1.0
    assert breaker.admit()

from __future__ import annotations

import pytest

from perception_reward.service.judges.http.endpoint import Endpoint


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint("https://user:s3cret@host/v1", 4)


def test_its_label_holds_no_credentials(endpoint: Endpoint):
    assert endpoint.label == "host:443"


def test_requests_that_fail_together_are_one_failure(endpoint: Endpoint):
    for _ in range(100):
        endpoint.failed(now=10.0, sent=9.0)
    assert 10.0 < endpoint.ready_at <= 10.2


def test_failures_one_after_the_other_double_the_rest(endpoint: Endpoint):
    for moment in (10.0, 20.0, 30.0, 40.0):
        endpoint.failed(now=moment, sent=moment - 1)
    assert 40.8 <= endpoint.ready_at <= 41.6


def test_an_answer_ends_the_rest(endpoint: Endpoint):
    endpoint.failed(now=10.0, sent=9.0)
    endpoint.answered(now=10.1, sent=10.05)
    assert endpoint.ready_at == 0.0


def test_an_answer_to_an_older_request_does_not(endpoint: Endpoint):
    endpoint.failed(now=10.0, sent=9.0)
    endpoint.answered(now=10.1, sent=9.5)
    assert endpoint.ready_at > 10.0


def test_the_longest_of_several_waits_holds(endpoint: Endpoint):
    endpoint.busy(now=10.0, seconds=5.0)
    endpoint.busy(now=11.0, seconds=1.0)
    assert endpoint.ready_at == 15.0


def test_silence_is_the_absence_of_any_answer(endpoint: Endpoint):
    assert endpoint.silent_since(5.0)
    endpoint.answered(now=6.0, sent=1.0)
    assert not endpoint.silent_since(5.0)
    assert endpoint.silent_since(7.0)


def test_a_busy_server_that_asks_for_no_time_is_left_alone_for_longer_each_time(endpoint: Endpoint):
    now, waits = 10.0, list[float]()
    for _ in range(10):
        endpoint.busy(now, seconds=0.0)
        waits.append(endpoint.busy_until - now)
        now = endpoint.busy_until
    assert 0.05 <= waits[0] <= 0.1
    assert waits[0] < waits[2] < waits[4]
    assert 2.5 <= waits[-1] <= 5.0
    endpoint.answered(now, sent=now)
    endpoint.busy(now, seconds=0.0)
    assert endpoint.busy_until - now <= 0.1


def test_requests_turned_away_together_are_one(endpoint: Endpoint):
    for _ in range(100):
        endpoint.busy(now=10.0, seconds=0.0)
    assert endpoint.busy_until <= 10.1

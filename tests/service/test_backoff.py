from __future__ import annotations

from perception_reward.service.backoff import Backoff


def test_delays_double_up_to_the_cap():
    backoff = Backoff(1.0, 8.0)
    for ceiling in (1, 2, 4, 8, 8, 8):
        assert ceiling / 2 <= backoff.next() <= ceiling


def test_a_success_starts_over():
    backoff = Backoff(1.0, 8.0)
    for _ in range(5):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 1.0


def test_an_endless_outage_stays_at_the_cap():
    backoff = Backoff(1.0, 8.0)
    assert max(backoff.next() for _ in range(5000)) <= 8.0


def test_two_replicas_do_not_return_in_step():
    assert len({Backoff(1.0, 8.0).next() for _ in range(20)}) > 1

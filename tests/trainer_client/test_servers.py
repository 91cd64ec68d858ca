from __future__ import annotations

from perception_reward.trainer_client.servers import LONGEST_REST, Server, Servers


def test_the_least_busy_of_the_rested_is_next() -> None:
    servers = Servers(["http://a", "http://b", "http://c"])
    first = servers.next(0.0)
    first.under_way += 1
    second = servers.next(0.0)
    second.under_way += 1
    third = servers.next(0.0)
    assert {first.url, second.url, third.url} == {"http://a", "http://b", "http://c"}
    third.failed(0.0)
    assert servers.next(0.0) is not third


def test_where_none_is_rested_the_soonest_is_next() -> None:
    servers = Servers(["http://a", "http://b"])
    one = servers.next(0.0)
    one.busy(5.0)
    other = servers.next(0.0)
    other.busy(3.0)
    assert servers.next(0.0) is other
    assert servers.next(6.0) in (one, other)


def test_a_server_rests_longer_each_time_but_not_for_ever() -> None:
    server, now = Server("http://a"), 0.0
    rests: list[float] = []
    for _ in range(12):
        server.failed(now)
        rests.append(server.rests_until - now)
        now = server.rests_until
    assert 0.5 <= rests[0] <= 1.0
    assert rests[0] < rests[2] < rests[4]
    assert LONGEST_REST / 2 <= rests[-1] <= LONGEST_REST


def test_requests_that_fail_together_are_one_failure() -> None:
    server = Server("http://a")
    server.failed(0.0)
    until = server.rests_until
    for _ in range(100):
        server.failed(0.1)
    assert server.rests_until == until


def test_a_server_that_works_again_starts_anew() -> None:
    server = Server("http://a")
    for now in (0.0, 10.0, 20.0, 40.0):
        server.failed(now)
    server.works()
    assert server.rests_until == 0.0
    server.failed(100.0)
    assert server.rests_until <= 101.0

"""Where requests go: together while that is fair, apart where one server would be left behind."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.http.affinity import LEAST, SLACK, choose
from perception_reward.service.judges.http.endpoint import Endpoint


def endpoints(number: int, concurrency: int = 64) -> list[Endpoint]:
    return [Endpoint(f"http://gpu-{index}:8000", concurrency) for index in range(number)]


def send(servers: list[Endpoint], affinity: str) -> Endpoint:
    chosen = choose(servers, affinity)
    chosen.load += 1
    return chosen


def test_a_group_of_rollouts_stays_on_one_server():
    servers = endpoints(4)
    assert len({send(servers, "group-1").url for _ in range(LEAST)}) == 1


def test_groups_have_servers_of_their_own_whatever_the_order_of_the_servers():
    servers = endpoints(4)
    homes = {f"group-{n}": choose(servers, f"group-{n}").url for n in range(200)}
    assert {group: choose(servers[::-1], group).url for group in homes} == homes
    assert min(Counter(homes.values()).values()) > 25


def test_a_server_that_leaves_moves_only_its_own_groups():
    servers = endpoints(4)
    gone = servers[0]
    before = {f"group-{n}": choose(servers, f"group-{n}") for n in range(200)}
    after = {group: choose(servers[1:], group) for group in before}
    assert all(after[group] is home for group, home in before.items() if home is not gone)


def test_what_one_server_cannot_take_goes_to_the_same_second_one():
    servers = endpoints(4)
    first = choose(servers, "big")
    first.load = 40
    assert len({send(servers, "big").url for _ in range(LEAST)} - {first.url}) == 1


@pytest.mark.parametrize("groups", [1, 3, 50])
def test_no_server_gets_much_more_than_its_share_however_lopsided_the_groups(groups: int):
    servers = endpoints(4, concurrency=1000)
    rng = random.Random(7)
    for _ in range(800):
        send(servers, f"group-{int(rng.paretovariate(0.7)) % groups}")
    assert max(server.load for server in servers) <= math.ceil(SLACK * 800 / 4) + 1


def test_full_servers_are_passed_by_while_another_has_a_slot():
    servers = endpoints(3, concurrency=2)
    assert Counter(send(servers, "big").url for _ in range(6)) == {server.url: 2 for server in servers}


@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), st.integers(1, 200), st.text())
def test_some_server_is_always_found_and_a_free_slot_before_a_full_one(loads: list[int], slots: int, affinity: str):
    servers = endpoints(len(loads), slots)
    for server, load in zip(servers, loads, strict=True):
        server.load = load
    chosen = choose(servers, affinity)
    assert chosen.load < slots or min(loads) >= slots
    assert chosen.load < max(LEAST, math.ceil(SLACK * (sum(loads) + 1) / len(loads)))

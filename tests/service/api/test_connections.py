from __future__ import annotations

import pytest

from perception_reward.service.api.connections import PATIENCE, Places, Wait, address_of


class Held:
    def __init__(self, places: Places, address: str = "a") -> None:
        self.address = address
        self._places = places
        self.gave_way = False
        self.expired: Wait | None = None

    def give_way(self) -> None:
        self.gave_way = True
        self._places.leave(self.address)

    def expire(self, wait: Wait) -> None:
        self.expired = wait
        self._places.leave(self.address)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def entered(places: Places, wait: Wait | None, address: str = "a") -> Held:
    assert places.enter(address)
    holder = Held(places, address)
    places.wait(holder, wait)
    return holder


def test_who_waits_longest_gives_way():
    places = Places(2, 2)
    first, second = entered(places, Wait.HEAD), entered(places, Wait.HEAD)
    assert places.enter("a")
    assert (first.gave_way, second.gave_way) == (True, False)
    assert places.open == 2


@pytest.mark.parametrize(
    ("cheap", "dear"), [(Wait.CLOSE, Wait.HEAD), (Wait.HEAD, Wait.IDLE), (Wait.IDLE, Wait.BODY), (Wait.BODY, None)]
)
def test_who_is_nearest_to_an_answer_gives_way_last(cheap: Wait, dear: Wait | None):
    clock = Clock()
    places = Places(2, 2, clock)
    later, sooner = entered(places, dear), entered(places, cheap)
    clock.now = 60
    assert places.enter("a")
    assert (later.gave_way, sooner.gave_way) == (False, True)


def test_who_has_just_come_is_kept_before_who_is_idle():
    clock = Clock()
    places = Places(2, 2, clock)
    idle, new = entered(places, Wait.IDLE), entered(places, Wait.HEAD)
    clock.now = 0.5
    assert places.enter("a")
    assert (idle.gave_way, new.gave_way) == (True, False)


def test_nobody_who_is_served_gives_way():
    places = Places(2, 2)
    for _ in range(2):
        entered(places, None)
    assert not places.enter("a")
    assert not places.enter("b")
    assert not places.make_room()


@pytest.mark.parametrize("wait", [Wait.BODY, Wait.READER])
def test_what_moves_does_not_give_way(wait: Wait):
    clock = Clock()
    places = Places(1, 1, clock)
    holder = entered(places, wait)
    for clock.now in range(0, 60, 4):
        assert not places.enter("b")
        places.wait(holder, wait)
    clock.now += 30
    assert places.enter("b")
    assert holder.gave_way


def test_an_address_that_has_enough_takes_from_itself():
    places = Places(10, 2)
    others = entered(places, Wait.HEAD, "b")
    own = [entered(places, Wait.HEAD) for _ in range(2)]
    assert places.enter("a")
    assert own[0].gave_way
    assert not others.gave_way


def test_the_places_of_one_address_leave_some_to_others():
    places = Places(3, 2)
    for _ in range(2):
        entered(places, None)
    assert not places.enter("a")
    assert places.enter("b")


def test_a_place_is_free_again_once_it_is_left():
    places = Places(1, 1)
    for _ in range(3):
        holder = entered(places, None)
        assert not places.enter("a")
        places.wait(holder, None)
        places.leave("a")
    assert places.open == 0


def test_patience_ends_for_each_kind_of_waiting():
    clock = Clock()
    places = Places(9, 9, clock)
    holders = {wait: entered(places, wait) for wait in Wait}
    clock.now = max(PATIENCE.values()) - 0.1
    places.sweep()
    assert {wait for wait, holder in holders.items() if holder.expired} == set(PATIENCE) - {Wait.READER}
    clock.now += 1
    places.sweep()
    assert holders[Wait.READER].expired is Wait.READER
    assert holders[Wait.IDLE].expired is None


def test_waiting_for_the_same_is_timed_from_when_it_began():
    clock = Clock()
    places = Places(9, 9, clock)
    holder = entered(places, Wait.HEAD)
    clock.now = PATIENCE[Wait.HEAD] - 1
    places.sweep()
    assert holder.expired is None
    clock.now += 2
    places.sweep()
    assert holder.expired is Wait.HEAD


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (("10.0.0.7", 1), "10.0.0.7"),
        (("::1", 1, 0, 0), "0000:0000:0000:0000"),
        (("fe80::1%eth0", 1, 0, 2), "fe80:0000:0000:0000"),
        (("2001:db8:1:2:3:4:5:6", 1, 0, 0), "2001:0db8:0001:0002"),
        (("::ffff:10.0.0.7", 1, 0, 0), "10.0.0.7"),
        ("", ""),
    ],
)
def test_whom_a_connection_counts_for(peer: object, address: str):
    assert address_of(peer) == address

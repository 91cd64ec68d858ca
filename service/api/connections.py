"""Places for connections: how many may be open, in all and from one address, and who gives way to whom.

A connection that is being served keeps its place. One that only waits gives it up when somebody else needs it: the one
that has waited longest of the kind that is nearest to none (`GIVE_WAY`). So however many silent connections are opened,
the next caller is served, and descriptors are left for the service's own files, workers, judges and Redis.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from enum import Enum
from ipaddress import IPv6Address, ip_address
from typing import Protocol


class Wait(Enum):
    """What a connection waits for."""

    CLOSE = "that its client hangs up, which was refused"
    HEAD = "the header of a request, or the first byte of one"
    IDLE = "the next request, after one that was answered"
    BODY = "more of a request's body"
    READER = "a client that does not read its answer"


# Seconds that a connection may wait; one that has not come further is closed. A reader is a trainer whose step can take
# minutes. What is idle is timed by the protocol, and a body by its request.
PATIENCE = {Wait.CLOSE: 2.0, Wait.HEAD: 10.0, Wait.READER: 300.0}
# In this order they give way, once they have waited for so many seconds: a header comes in less, as a rule, while a
# body or a reader that stands still for less is nobody's fault.
GIVE_WAY = (
    (Wait.CLOSE, 0.0),
    (Wait.HEAD, 1.0),
    (Wait.IDLE, 0.0),
    (Wait.HEAD, 0.0),
    (Wait.BODY, 5.0),
    (Wait.READER, 10.0),
)
SWEEP_SECONDS = 1.0


class Holder(Protocol):
    """A connection, to whoever gives places away."""

    @property
    def address(self) -> str: ...

    def expire(self, wait: Wait) -> None:
        """It has waited too long: say so, where that is possible, and close."""
        ...

    def give_way(self) -> None:
        """Close at once."""
        ...


class _Queues:
    """Those that wait, by what for, each since when, the longest first."""

    def __init__(self) -> None:
        self._queues: dict[Wait, dict[Holder, float]] = {wait: {} for wait in Wait}

    def put(self, holder: Holder, wait: Wait, since: float) -> None:
        self._queues[wait][holder] = since

    def drop(self, holder: Holder, wait: Wait) -> None:
        self._queues[wait].pop(holder, None)

    def first_to_go(self, now: float) -> Holder | None:
        for wait, seconds in GIVE_WAY:
            queue = self._queues[wait]
            holder = next(iter(queue), None)
            if holder is not None and now - queue[holder] >= seconds:
                return holder
        return None

    def expired(self, now: float) -> Iterator[tuple[Holder, Wait]]:
        for wait, patience in PATIENCE.items():
            queue = self._queues[wait]
            while (holder := next(iter(queue), None)) is not None and now - queue[holder] >= patience:
                yield holder, wait


class _Neighbours(_Queues):
    """The connections of one address."""

    def __init__(self) -> None:
        super().__init__()
        self.open = 0


class Places:
    """Counts connections from `enter` to `leave`, and knows what each waits for. One per event loop.

    most: connections in all. most_per_address: of one IPv4 address or one IPv6 network of 64 bits.
    """

    def __init__(self, most: int, most_per_address: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._clock = clock
        self._all = _Queues()
        self._neighbours: dict[str, _Neighbours] = {}
        self._waits: dict[Holder, Wait] = {}
        self.open = 0

    def enter(self, address: str) -> bool:
        """Take a place for a connection from `address`; False where none is free and nobody gives way."""
        neighbours = self._neighbours.setdefault(address, _Neighbours())
        if neighbours.open >= self._most_per_address and not self._make_room(neighbours):
            return False
        if self.open >= self._most and not self._make_room(self._all):
            if not neighbours.open:
                del self._neighbours[address]
            return False
        neighbours.open += 1
        self.open += 1
        return True

    def leave(self, address: str) -> None:
        """The connection is closed."""
        neighbours = self._neighbours[address]
        neighbours.open -= 1
        self.open -= 1
        if not neighbours.open:
            del self._neighbours[address]

    def wait(self, holder: Holder, wait: Wait | None) -> None:
        """From now on `holder` waits for that; None: it is being served, or gone."""
        before = self._waits.get(holder)
        queues = (self._all, self._neighbours[holder.address])
        if before is not None:
            for queue in queues:
                queue.drop(holder, before)
        if wait is None:
            self._waits.pop(holder, None)
            return
        self._waits[holder] = wait
        since = self._clock()
        for queue in queues:
            queue.put(holder, wait, since)

    def waits(self, holder: Holder) -> Wait | None:
        return self._waits.get(holder)

    def make_room(self) -> bool:
        """Close whoever is first to give way; False where all are being served."""
        return self._make_room(self._all)

    def _make_room(self, queues: _Queues) -> bool:
        holder = queues.first_to_go(self._clock())
        if holder is None:
            return False
        self.wait(holder, None)
        holder.give_way()
        return True

    def sweep(self) -> None:
        """Close whoever has waited for too long."""
        for holder, wait in self._all.expired(self._clock()):
            self.wait(holder, None)
            holder.expire(wait)


def address_of(peer: object) -> str:
    """Whom a connection counts for: an IPv4 address, or the network of an IPv6 one, where everybody has many."""
    host = str(peer[0]) if isinstance(peer, tuple) and peer else ""  # pyright: ignore[reportUnknownArgumentType]
    try:
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(ip, IPv6Address):
        return host
    return str(ip.ipv4_mapped) if ip.ipv4_mapped else ip.exploded[:19]

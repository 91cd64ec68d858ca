"""What the requests under way hold together: their bodies, and what is made of these, which can be far more.

Objects are counted before they are made, by what they cost once they are there (`VALUE_BYTES` and the others), so that
a small body of many small values is refused for what it would become.
"""

from __future__ import annotations

from fastapi import Request
from starlette.exceptions import HTTPException

from perception_reward.service.metrics import Metrics

# What things cost, measured with CPython 3.11 and pydantic 2: a fact and an item with all that scoring makes of them
# (models, keys, verdicts, results); an object of JSON, which is likely a fact; and any other value.
FACT_BYTES, ITEM_BYTES = 3072, 4096
OBJECT_BYTES, VALUE_BYTES = 2816, 128


class Memory:
    """The room that all requests share, in bytes. One per app."""

    def __init__(self, room: int, metrics: Metrics) -> None:
        self.room = room
        self.held = 0
        self._metrics = metrics

    def share(self) -> Share:
        return Share(self)

    def refuse(self, own: int) -> HTTPException:
        """413 for what can never fit, and 429 for what may fit when others are done."""
        if own > self.room:
            self._metrics.refused("too_large")
            return HTTPException(
                413,
                f"what the body holds takes over {self.room >> 20} MiB once it is read; send fewer items a request, or "
                "raise max_buffered_mb",
            )
        self._metrics.refused("no_room")
        return HTTPException(
            429,
            f"the bodies of all requests and what they hold take over {self.room >> 20} MiB together; try again, or "
            "raise max_buffered_mb",
            headers={"Retry-After": "1"},
        )


class Share:
    """One request's part of it, until it is answered."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._made = 0
        self.own = 0

    def take(self, size: int) -> None:
        """Take as much more; `HTTPException` where there is no room for it."""
        self.own += size
        self._memory.held += size
        if self._memory.held > self._memory.room:
            raise self._memory.refuse(self.own)

    def make(self, size: int) -> None:
        """What is made of the body takes that much in all, or as much as was said before if that was more."""
        if size > self._made:
            more, self._made = size - self._made, size
            self.take(more)

    def release(self) -> None:
        self._memory.held -= self.own
        self.own = self._made = 0


def share_of(request: Request) -> Share:
    """The share that `Intake` has given the request."""
    return request.state.memory

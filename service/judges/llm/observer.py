"""What the judge tells about its requests, for whoever keeps the metrics."""

from __future__ import annotations

from typing import Protocol


class JudgeObserver(Protocol):
    """Called on the event loop, so it must not block."""

    def request(self, endpoint: str, seconds: float, ok: bool) -> None:
        """One attempt at `endpoint` (host:port) has ended, with an answer or without."""
        ...

    def retry(self, reason: str) -> None:
        """A request is sent again, because of `transport`, a `silent` or a `busy` server, an HTTP status, or
        because its endpoint went down while it waited there (`moved`)."""
        ...

    def unusable(self, endpoint: str, fault: str) -> None:
        """A reply of `endpoint` was not taken, or not believed in full, because of its `size`, its `encoding`, a body
        that came too `slow`, or its `content`. What it was about is missing."""
        ...

    def inflight(self, n: int) -> None:
        """`n` requests are now at the endpoints."""
        ...


class Unobserved:
    """An observer that takes no notice."""

    def request(self, endpoint: str, seconds: float, ok: bool) -> None: ...

    def retry(self, reason: str) -> None: ...

    def unusable(self, endpoint: str, fault: str) -> None: ...

    def inflight(self, n: int) -> None: ...

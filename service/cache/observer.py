"""What the cache tells about itself, for whoever keeps the metrics."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

Tier: TypeAlias = Literal["memory", "redis"]


class CacheObserver(Protocol):
    """Counts of keys, not of calls."""

    def hits(self, tier: Tier, n: int) -> None:
        """`n` keys were answered by `tier`."""
        ...

    def misses(self, n: int) -> None:
        """`n` keys were in no tier."""
        ...

    def error(self, kind: str) -> None:
        """An operation on Redis came to nothing: `timeout`, `connection`, `refused` (by a Redis that answers,
        but is out of memory, read-only, …) or `dropped` (a write given up because Redis cannot keep up)."""
        ...

    def redis_up(self, up: bool) -> None:
        """Redis has begun to answer and to take writes, or has stopped."""
        ...


class Unobserved:
    """An observer that takes no notice."""

    def hits(self, tier: Tier, n: int) -> None: ...

    def misses(self, n: int) -> None: ...

    def error(self, kind: str) -> None: ...

    def redis_up(self, up: bool) -> None: ...

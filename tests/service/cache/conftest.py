"""An observer that remembers."""

from __future__ import annotations

from collections import Counter

import pytest


class Recorder:
    """Counts what the cache reports."""

    def __init__(self) -> None:
        self.hit: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.missed = 0
        self.up: list[bool] = []

    def hits(self, tier: str, n: int) -> None:
        self.hit[tier] += n

    def misses(self, n: int) -> None:
        self.missed += n

    def error(self, kind: str) -> None:
        self.errors[kind] += 1

    def redis_up(self, up: bool) -> None:
        self.up.append(up)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()

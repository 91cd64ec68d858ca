"""What a file of results came to: means per component, and why scores are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from perception_reward.trainer_client.wire import ItemResult


@dataclass(slots=True)
class Tally:
    """Counts and sums over results. `sums` and `given` are by component, and by `score`."""

    items: int = 0
    reasons: Counter[str] = field(default_factory=Counter[str])
    given: Counter[str] = field(default_factory=Counter[str])
    sums: dict[str, float] = field(default_factory=dict[str, float])

    def add(self, results: Iterable[ItemResult]) -> None:
        for result in results:
            self.items += 1
            if result.score is None:
                self.reasons[result.reason or "unknown"] += 1
            for name, value in {**result.components, "score": result.score}.items():
                self.sums.setdefault(name, 0.0)
                if value is not None:
                    self.given[name] += 1
                    self.sums[name] += value

    def merge(self, other: Tally) -> None:
        self.items += other.items
        self.reasons.update(other.reasons)
        self.given.update(other.given)
        for name, total in other.sums.items():
            self.sums[name] = self.sums.get(name, 0.0) + total

    def to_json(self) -> dict[str, Any]:
        return {"items": self.items, "reasons": self.reasons, "given": self.given, "sums": self.sums}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Tally:
        return cls(told["items"], Counter(told["reasons"]), Counter(told["given"]), dict(told["sums"]))

    @property
    def missing(self) -> int:
        return self.reasons.total()

    def mean(self, name: str) -> float | None:
        """Over the items that have it; None where none has."""
        return self.sums[name] / self.given[name] if self.given[name] else None

"""What a cascade tells about its work, for whoever keeps the metrics."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

# `rules` and `model` decided; `none`: neither did, and the verdict is missing.
Stage: TypeAlias = Literal["rules", "model", "none"]
Comparison: TypeAlias = Literal["agreed", "disagreed", "missing", "skipped"]


class CascadeObserver(Protocol):
    """Called on the event loop, so it must not block."""

    def cascaded(self, stage: Stage, kind: str, facts: int) -> None:
        """A stage had the last word on so many facts of a kind."""
        ...

    def compared(self, kind: str, result: Comparison) -> None:
        """The model was asked about a fact that the rules had decided: `missing` where it gave no verdict,
        `skipped` where too many comparisons were under way to ask."""
        ...


class Unobserved:
    """An observer that takes no notice."""

    def cascaded(self, stage: Stage, kind: str, facts: int) -> None: ...

    def compared(self, kind: str, result: Comparison) -> None: ...

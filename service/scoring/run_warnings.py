"""What a run is told once: of settings and columns that quietly turn a part of its reward off."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping

logger = logging.getLogger(__name__)

# Runs remembered. One that comes back after so many others is told again, which does no harm.
MOST_RUNS = 1024


class RunWarnings:
    """Remembers what each run was told. Requests without a run's label are told each time, and logged as one run."""

    def __init__(self, most_runs: int = MOST_RUNS) -> None:
        self._most_runs = most_runs
        self._told: OrderedDict[str, set[str]] = OrderedDict()

    def tell(self, run: str | None, warnings: Mapping[str, str]) -> list[str]:
        """The texts of `warnings`, by what they are about, that the run has not been told yet; those are logged too."""
        if not warnings:
            return []
        label = run or ""
        told = self._told.setdefault(label, set())
        self._told.move_to_end(label)
        if len(self._told) > self._most_runs:
            self._told.popitem(last=False)
        news = [about for about in warnings if about not in told]
        told.update(news)
        for about in news:
            logger.warning("%s", warnings[about], extra={"run": run} if run is not None else None)
        return [warnings[about] for about in (warnings if run is None else news)]

"""Several comparisons at once."""

from __future__ import annotations

from collections.abc import Sequence

from perception_reward.service.statistics.libraries import library


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values as Holm (1979) corrects them: one below 0.05 is a false alarm of the whole family in 5 % at most."""
    if not p_values:
        return []
    corrected = library("statsmodels.stats.multitest").multipletests(list(p_values), method="holm")[1]
    return [float(value) for value in corrected]

"""The mean of what changed from one score of a problem to the next, by resampling problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perception_reward.service.statistics.shares import CONFIDENCE, Z, library

Numbers: TypeAlias = NDArray[np.float64]

RESAMPLES: Final = 9_999
# From so many problems on, resampling gives what the normal distribution gives, and takes long.
MANY: Final = 2_000
# Numbers drawn at once: 16 MB.
MOST_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """Mean after less mean before. low, high: its 95 % interval, None with one problem. p: two-sided, of no change."""

    value: float
    low: float | None
    high: float | None
    p: float


def mean_change(before: Sequence[float], after: Sequence[float], *, seed: int = 0) -> Change:
    """The change of the mean over problems, `before[n]` and `after[n]` being the same problem's.

    The interval is the percentile bootstrap over problems; the p-value is that of the paired permutation test, which
    turns the sign of each problem's change. Both are scipy's, and the same seed gives the same figures. With more than
    `MANY` problems they are their limits, those of the normal distribution. Raises `ValueError` without problems.
    """
    changes = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    if not changes.size:
        raise ValueError("there are no problems to compare")
    value = float(changes.mean())
    if changes.size == 1:
        return Change(value, None, None, 1.0)
    spread = float(changes.std(ddof=1))
    if spread == 0.0 and value == 0.0:
        return Change(value, value, value, 1.0)
    stats = library("scipy.stats")
    if changes.size > MANY and spread:
        error = spread / changes.size**0.5
        return Change(value, value - Z * error, value + Z * error, float(2 * stats.norm.sf(abs(value) / error)))
    low, high = (value, value) if spread == 0.0 else _resampled(changes, seed)
    return Change(value, low, high, _permuted(changes, seed))


def _resampled(changes: Numbers, seed: int) -> tuple[float, float]:
    interval = (
        library("scipy.stats")
        .bootstrap(
            (changes,),
            np.mean,
            n_resamples=RESAMPLES,
            batch=max(1, MOST_AT_ONCE // changes.size),
            confidence_level=CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
        .confidence_interval
    )
    return float(interval.low), float(interval.high)


def _permuted(changes: Numbers, seed: int) -> float:
    test = library("scipy.stats").permutation_test(
        (changes,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, MOST_AT_ONCE // changes.size),
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)

"""Agreement, ranking and calibration figures, for many resamples at once.

A figure takes weights of shape (resamples, observations) and returns one number per resample, NaN where it is not
defined. With weights of 1 it is the figure itself, so that the interval belongs to the very number it is shown with.
The libraries that have these figures take one resample at a time, which is a thousand times as slow; the tests hold
every figure to scikit-learn's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from perception_reward.service.audit.figures import Estimate, Proportion
from perception_reward.service.statistics.shares import CONFIDENCE, design_effect, wilson
from perception_reward.trainer_client.wire import Label

Numbers: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]
Figure: TypeAlias = Callable[["Sample", Numbers], Numbers]

LABELS: Final[tuple[Label, ...]] = get_args(Label)
RESAMPLES: Final = 1000
# Reliability bins, of equal width.
BINS: Final = 10
# Weights held at once, in numbers: 64 MB.
MOST_WEIGHTS: Final = 8_000_000


@dataclass(frozen=True)
class Sample:
    """Verdicts with their right answers, as arrays of one length.

    expected, judged: places in `LABELS`. probability: of `stated`. unit: the problem's number, from 0.
    """

    expected: Places
    judged: Places
    probability: Numbers
    unit: Places

    @cached_property
    def stated(self) -> Numbers:
        return (self.expected == LABELS.index("stated")).astype(np.float64)

    @cached_property
    def order(self) -> tuple[Places, Places]:
        """Places by rising probability, and among these the starts of runs of equal ones."""
        order = np.argsort(self.probability, kind="stable")
        _, starts = np.unique(self.probability[order], return_index=True)
        return order, starts

    @cached_property
    def bins(self) -> Numbers:
        """Shape (observations, BINS): 1 in the column of the probability's bin."""
        place = np.minimum((self.probability * BINS).astype(np.int64), BINS - 1)
        return np.eye(BINS)[place]

    @property
    def units(self) -> int:
        return int(self.unit.max()) + 1 if self.unit.size else 0

    def __len__(self) -> int:
        return self.expected.size


def accuracy(sample: Sample, weights: Numbers) -> Numbers:
    return _ratio(weights @ (sample.expected == sample.judged), weights.sum(axis=1))


def kappa(sample: Sample, weights: Numbers) -> Numbers:
    """Cohen's kappa (1960), unweighted, over the three verdicts."""
    table = _confusion(sample, weights)
    total = table.sum(axis=(1, 2))
    observed = _ratio(np.trace(table, axis1=1, axis2=2), total)
    chance = _ratio((table.sum(axis=1) * table.sum(axis=2)).sum(axis=1), total**2)
    return _ratio(observed - chance, 1.0 - chance)


def mcc(sample: Sample, weights: Numbers) -> Numbers:
    """Matthews' correlation coefficient for several classes (Gorodkin 2004)."""
    table = _confusion(sample, weights)
    total = table.sum(axis=(1, 2))
    true, judged = table.sum(axis=2), table.sum(axis=1)
    covariance = np.trace(table, axis1=1, axis2=2) * total - (true * judged).sum(axis=1)
    spread = (total**2 - (true**2).sum(axis=1)) * (total**2 - (judged**2).sum(axis=1))
    return _ratio(covariance, np.sqrt(spread))


def auc(sample: Sample, weights: Numbers) -> Numbers:
    """Area under the ROC curve of `stated` against the rest; ties count half."""
    order, starts = sample.order
    stated = sample.stated[order]
    ranked = weights[:, order]
    positive = np.add.reduceat(ranked * stated, starts, axis=1)
    negative = np.add.reduceat(ranked * (1.0 - stated), starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2.0
    return _ratio((positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))


def brier(sample: Sample, weights: Numbers) -> Numbers:
    """Mean squared distance of the probability of `stated` from what is right."""
    return _ratio(weights @ (sample.probability - sample.stated) ** 2, weights.sum(axis=1))


def ece(sample: Sample, weights: Numbers) -> Numbers:
    """Expected calibration error in bins of equal width (Naeini et al. 2015), of the probability of `stated`."""
    gaps = weights @ (sample.bins * (sample.probability - sample.stated)[:, None])
    return _ratio(np.abs(gaps).sum(axis=1), weights.sum(axis=1))


def mean_of(values: Numbers) -> Figure:
    """The mean of `values`, one for each observation of the sample."""
    return lambda _, weights: _ratio(weights @ values, weights.sum(axis=1))


def estimate(figure: Figure, sample: Sample, *, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """The figure with its percentile interval from resampling problems, all of a problem's verdicts together.

    No interval where there is one problem only, or where most resamples leave the figure undefined.
    """
    if not len(sample):
        return Estimate(value=None)
    value = figure(sample, np.ones((1, len(sample))))[0]
    if math.isnan(value):
        return Estimate(value=None)
    if sample.units < 2:
        return Estimate(value=float(value))
    found = _resampled(figure, sample, seed, resamples)
    found = found[~np.isnan(found)]
    if found.size * 2 <= resamples:
        return Estimate(value=float(value))
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value=float(value), low=float(low), high=float(high))


def _resampled(figure: Figure, sample: Sample, seed: int, resamples: int) -> Numbers:
    random = np.random.default_rng(seed)
    units = sample.units
    step = max(1, MOST_WEIGHTS // max(len(sample), units))
    parts: list[Numbers] = []
    for start in range(0, resamples, step):
        drawn = random.multinomial(units, np.full(units, 1.0 / units), size=min(step, resamples - start))
        parts.append(figure(sample, drawn[:, sample.unit].astype(np.float64)))
    return np.concatenate(parts)


def proportion(hits: Sequence[bool], units: Sequence[object]) -> Proportion:
    """The share of `hits` with Wilson's interval (1927), on the effective sample size.

    Verdicts of one problem resemble each other. The design effect, the variance between problems over that of
    independent verdicts, divides their number (never below 1; Saha, Miller and Wang 2016 compare such intervals).
    A share of 0 or 1 has no variance to tell it from, and counts as independent.
    """
    total, found = len(hits), sum(hits)
    if not total:
        return Proportion(value=None, hits=0, total=0)
    share = found / total
    low, high = wilson(share, total / design_effect(hits, units))
    return Proportion(value=share, low=low, high=high, hits=found, total=total)


def _confusion(sample: Sample, weights: Numbers) -> Numbers:
    """Shape (resamples, right verdict, judge's verdict)."""
    classes = len(LABELS)
    cells = np.eye(classes * classes)[sample.expected * classes + sample.judged]
    return (weights @ cells).reshape(-1, classes, classes)


def _ratio(above: Numbers, below: Numbers) -> Numbers:
    """NaN where `below` is 0."""
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)

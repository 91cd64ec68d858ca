"""Shares as they would be without the judge's known errors.

errors = Errors(sensitivity=0.9, positives=200, specificity=0.95, negatives=300)
corrected(0.60, 1000, errors)               # Interval(value=0.647, low=0.60, high=0.70)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from perception_reward.service.statistics.paired import Interval
from perception_reward.service.statistics.shares import Z


@dataclass(frozen=True, slots=True)
class Errors:
    """A judge's rates on an audit's labelled verdicts, and how many there were.

    sensitivity: of what is so, the share that it says is so. specificity: of what is not so, the share it denies.
    positives, negatives: the (effective) number of labels that either comes from.
    """

    sensitivity: float
    positives: float
    specificity: float
    negatives: float

    @property
    def informative(self) -> float:
        """Youden's index: 1 for a judge without errors, 0 for one that tosses a coin."""
        return self.sensitivity + self.specificity - 1.0


class Uninformative(ValueError):
    """The judge is no better than chance: no share of its verdicts tells the true one."""


def corrected(share: float, size: float, errors: Errors) -> Interval:
    """The true share behind an apparent `share` of `size` (effective) verdicts: Rogan and Gladen's estimate (1978).

    The interval is Lang and Reiczigel's (2014), which knows that the judge's rates are estimates too. All three lie in
    [0, 1]. Raises `Uninformative` where sensitivity + specificity is 1 or less.
    """
    if errors.informative <= 0:
        raise Uninformative(
            f"the judge's sensitivity {errors.sensitivity:.3f} and specificity {errors.specificity:.3f} are no better "
            "than chance: no share can be corrected"
        )
    value = (share + errors.specificity - 1.0) / errors.informative
    size, share = size + Z * Z, (size * share + Z * Z / 2) / (size + Z * Z)
    positives, negatives = errors.positives + 2, errors.negatives + 2
    sensitivity = (errors.positives * errors.sensitivity + 1) / positives
    specificity = (errors.negatives * errors.specificity + 1) / negatives
    informative = sensitivity + specificity - 1.0
    if informative <= 0:
        return Interval(_within(value), 0.0, 1.0)
    middle = (share + specificity - 1.0) / informative
    missed = sensitivity * (1 - sensitivity) / positives
    taken = specificity * (1 - specificity) / negatives
    shift = 2 * Z * Z * (middle * missed - (1 - middle) * taken)
    half = Z / informative * math.sqrt(share * (1 - share) / size + middle**2 * missed + (1 - middle) ** 2 * taken)
    return Interval(_within(value), _within(middle + shift - half), _within(middle + shift + half))


def corrected_change(change: Interval, errors: Errors) -> Interval:
    """The change of the true share behind an apparent one, where the judge errs alike before and after.

    The apparent change divided by Youden's index, its interval by the delta method over both. Raises `Uninformative`.
    """
    if errors.informative <= 0:
        raise Uninformative("a judge that is no better than chance tells no change")
    value = change.value / errors.informative
    sensitivity, specificity = errors.sensitivity, errors.specificity
    spread = (
        sensitivity * (1 - sensitivity) / max(errors.positives, 1)
        + specificity * (1 - specificity) / max(errors.negatives, 1)
    ) * (value / errors.informative) ** 2
    below, above = change.value - change.low, change.high - change.value
    return Interval(
        value,
        max(-1.0, value - math.sqrt((below / errors.informative) ** 2 + Z * Z * spread)),
        min(1.0, value + math.sqrt((above / errors.informative) ** 2 + Z * Z * spread)),
    )


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))

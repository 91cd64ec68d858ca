"""How many problems a comparison needs, and what it can see with those it has.

power(gained=0.10, lost=0.04, problems=200)             # 0.62
problems_needed(gained=0.10, lost=0.04, power=0.8)      # 295
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from perception_reward.service.statistics.shares import library

ALPHA: Final = 0.05
POWER: Final = 0.8
# What needs more than so many problems is not worth asking for.
MOST_PROBLEMS: Final = 1_000_000
# Standard deviations of the number of discordant problems that are summed over; the rest is below 1e-15.
SPREAD: Final = 8.0


def power(*, gained: float, lost: float, problems: int, alpha: float = ALPHA) -> float:
    """The chance that McNemar's mid-p test finds the change, in (0, 1), by summing over what may be seen.

    gained, lost: the shares of problems that turn right and that turn wrong, in [0, 1], together at most 1.
    """
    _checked(gained, lost)
    changed = gained + lost
    if not problems or not changed:
        return 0.0
    binom = library("scipy.stats").binom
    spread = SPREAD * (problems * changed * (1 - changed)) ** 0.5 + SPREAD
    least, most = max(0, int(problems * changed - spread)), min(problems, int(problems * changed + spread))
    discordant = np.arange(least, most + 1)
    below = _rejected(alpha, most)[discordant]
    # Few enough lost, or few enough gained, of so many discordant ones.
    found = binom.cdf(below, discordant, lost / changed) + binom.cdf(below, discordant, gained / changed)
    return float(np.sum(binom.pmf(discordant, problems, changed) * found))


def problems_needed(*, gained: float, lost: float, power: float = POWER, alpha: float = ALPHA) -> int | None:
    """The fewest problems with that power; None where even `MOST_PROBLEMS` have less, as without a difference.

    The power goes up and down a little from one number to the next; this is the first of those that a search by halves
    meets, to within that.
    """
    _checked(gained, lost)
    if gained == lost or _power(gained, lost, MOST_PROBLEMS, alpha) < power:
        return None
    least, most = 0, 16
    while _power(gained, lost, most, alpha) < power:
        least, most = most, min(most * 2, MOST_PROBLEMS)
    while most - least > 1:
        middle = (least + most) // 2
        enough = _power(gained, lost, middle, alpha) >= power
        least, most = (least, middle) if enough else (middle, most)
    return most


def smallest_change(*, changed: float, problems: int, power: float = POWER, alpha: float = ALPHA) -> float | None:
    """The smallest difference of the two shares that so many problems show with that power, to 0.001.

    changed: the share of problems that turn either way, in [0, 1]. None where not even all of them turning right does.
    """
    if _power(changed, 0.0, problems, alpha) < power:
        return None
    low, high = 0.0, changed
    while high - low > 1e-3:
        middle = (low + high) / 2
        seen = _power((changed + middle) / 2, (changed - middle) / 2, problems, alpha) >= power
        low, high = (low, middle) if seen else (middle, high)
    return high


def _power(gained: float, lost: float, problems: int, alpha: float) -> float:
    return power(gained=gained, lost=lost, problems=problems, alpha=alpha)


def _checked(gained: float, lost: float) -> None:
    if not (0 <= gained <= 1 and 0 <= lost <= 1 and gained + lost <= 1):
        raise ValueError(f"the shares gained, {gained:g}, and lost, {lost:g}, have to lie in [0, 1], together too")


@lru_cache(maxsize=8)
def _rejected_to(alpha: float, most: int) -> NDArray[np.int64]:
    """For each number of discordant problems up to `most`, the largest smaller side that is found; -1 for none."""
    binom = library("scipy.stats").binom
    discordant = np.arange(most + 1)
    # The largest side whose two-sided mid-p can be below alpha lies near alpha's quantile: look around it.
    side: NDArray[np.int64] = np.maximum(binom.ppf(alpha / 2, discordant, 0.5), 0).astype(np.int64) + 1
    for _ in range(3):
        mid_p: NDArray[np.float64] = 2 * binom.cdf(side, discordant, 0.5) - binom.pmf(side, discordant, 0.5)
        side = np.where((side >= 0) & ((mid_p > alpha) | (2 * side >= discordant)), side - 1, side)
    return side


def _rejected(alpha: float, most: int) -> NDArray[np.int64]:
    # Sizes by powers of two, so that a search asks for few of them.
    return _rejected_to(alpha, 1 << max(4, most.bit_length()))

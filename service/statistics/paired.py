"""The same problems right or wrong twice: McNemar's test, the difference of the two shares, and several such tests.

pairs = Pairs(both=40, lost=2, gained=10, neither=48)
mcnemar(pairs).exact                        # 0.0386
difference(pairs)                           # Interval(value=0.08, low=0.01, high=0.16)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from perception_reward.service.statistics.shares import Z, library


@dataclass(frozen=True, slots=True)
class Pairs:
    """Counts of problems. both: right before and after; lost: only before; gained: only after; neither: wrong twice."""

    both: int
    lost: int
    gained: int
    neither: int

    @classmethod
    def of(cls, outcomes: Iterable[tuple[bool, bool]]) -> Pairs:
        """Count (right before, right after)."""
        counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
        for before, after in outcomes:
            counts[before, after] += 1
        return cls(counts[True, True], counts[True, False], counts[False, True], counts[False, False])

    @property
    def problems(self) -> int:
        return self.both + self.lost + self.gained + self.neither

    @property
    def discordant(self) -> int:
        return self.lost + self.gained


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two-sided p-values. exact: never more false alarms than it says; mid_p: nearer to what it says, so stronger."""

    exact: float
    mid_p: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def mcnemar(pairs: Pairs) -> McNemar:
    """McNemar's exact conditional test, and its mid-p form (Fagerland, Lydersen and Laake 2013).

    Only discordant problems count: of them, a change without effect gains as many as it loses. Without any both are 1.
    """
    if not pairs.discordant:
        return McNemar(1.0, 1.0)
    tables = library("statsmodels.stats.contingency_tables")
    exact = float(tables.mcnemar([[pairs.both, pairs.lost], [pairs.gained, pairs.neither]], exact=True).pvalue)
    point = float(library("scipy.stats").binom.pmf(pairs.lost, pairs.discordant, 0.5))
    return McNemar(min(1.0, exact), 1.0 - point / 2 if pairs.lost == pairs.gained else exact - point)


def difference(pairs: Pairs) -> Interval:
    """Share right after less share right before, with Tango's score interval (1998).

    The interval holds 0 where McNemar's test without correction finds nothing at 5 %, it stays within [-1, 1], and it
    keeps its coverage for few problems and for none discordant. Raises `ValueError` without problems.
    """
    if not pairs.problems:
        raise ValueError("there are no problems to compare")
    value = (pairs.gained - pairs.lost) / pairs.problems
    return Interval(value, _limit(pairs, value, -1.0), _limit(pairs, value, 1.0))


def _limit(pairs: Pairs, value: float, end: float) -> float:
    """Where the score test of a difference begins to refuse it, between `value` and `end`."""
    critical = math.copysign(Z, -end)
    # At the end itself the statistic has no variance; nothing so near to it is a limit anybody reads.
    nearest = math.copysign(1.0 - 1e-9, end)
    if abs(value) >= abs(nearest) and value * end > 0:
        return end
    if (_score(pairs, nearest) - critical) * end > 0:
        return end
    optimize = library("scipy.optimize")

    def off(delta: float) -> float:
        return _score(pairs, delta) - critical

    return float(optimize.brentq(off, value, nearest, xtol=1e-10))


def _score(pairs: Pairs, delta: float) -> float:
    """Tango's statistic, standard normal where the true difference is `delta`."""
    total, gained, lost = pairs.problems, pairs.gained, pairs.lost
    distance = gained - lost - total * delta
    if distance == 0:
        return 0.0
    # The share lost that is most likely under `delta`: the larger root of a quadratic.
    a, b, c = 2 * total, -gained - lost + (2 * total - gained + lost) * delta, -lost * delta * (1 - delta)
    share = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = total * (2 * share + delta * (1 - delta))
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values as Holm (1979) corrects them: one below 0.05 is a false alarm of the whole family in 5 % at most."""
    if not p_values:
        return []
    corrected = library("statsmodels.stats.multitest").multipletests(list(p_values), method="holm")[1]
    return [float(value) for value in corrected]

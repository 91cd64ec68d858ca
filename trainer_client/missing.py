"""What a trainer gets where a score is missing. Missing is not zero, unless the user says so.

A run whose scores are mostly missing is stopped: training on the rest would be training on noise.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Hashable, Sequence
from math import fsum
from typing import TYPE_CHECKING

from perception_reward.trainer_client.errors import MissingScore, TooManyMissing
from perception_reward.trainer_client.options import Policy

if TYPE_CHECKING:
    from perception_reward.trainer_client.wire import ItemResult, Reason


# Of the packaged profiles.
COMPONENTS = ("format", "accuracy", "perception", "repetition")


def resolve(
    results: Sequence[ItemResult], groups: Sequence[Hashable] | None = None, policy: Policy = "native"
) -> list[float | None]:
    """The scores of `results`, in order, with `policy` applied where one is missing.

    groups: for each result the prompt that it answers, by any hashable value; None: all belong to one group.

    - `native`: None, for the caller to say in its trainer's own way.
    - `group_mean`: the mean of the group's other scores, which leaves that mean as it is and gives the sample an
      advantage of 0. A group with no score at all gets the mean of the whole call, and 0.0 if that has none either:
      all its members get the same value, so that a group-normalised advantage is 0 for each.
    - `raise`: `MissingScore`.
    - `zero`: 0.0. An outage then looks like bad responses; it is there for comparisons with code that does so.

    Raises `ValueError` where `groups` has another length than `results`.
    """
    if groups is not None and len(groups) != len(results):
        raise ValueError(f"{len(results)} results and {len(groups)} groups; each result needs one")
    scores = [result.score for result in results]
    if None not in scores or policy == "native":
        return scores
    if policy == "raise":
        raise MissingScore(_tell(results))
    if policy == "zero":
        return [0.0 if score is None else score for score in scores]
    return _filled(scores, groups or [None] * len(scores))


def _filled(scores: list[float | None], groups: Sequence[Hashable]) -> list[float | None]:
    present: dict[Hashable, list[float]] = {}
    for score, group in zip(scores, groups, strict=True):
        if score is not None:
            present.setdefault(group, []).append(score)
    everywhere = [score for found in present.values() for score in found]
    overall = _mean(everywhere) if everywhere else 0.0
    means = {group: _mean(found) for group, found in present.items()}
    return [means.get(group, overall) if score is None else score for score, group in zip(scores, groups, strict=True)]


def _mean(scores: list[float]) -> float:
    return fsum(scores) / len(scores)


def _tell(results: Sequence[ItemResult]) -> str:
    missing = [(index, result) for index, result in enumerate(results) if result.score is None]
    index, first = missing[0]
    name = f"item {index}" if first.id is None else f"item {index} ({first.id})"
    more = f", and {len(missing) - 1} more of {len(results)}" if len(missing) > 1 else ""
    return f"the score of {name} is missing: {first.reason}{more}"


def missing_result(id: str | None, reason: Reason, components: Sequence[str] = COMPONENTS) -> ItemResult:
    """The result of an item that no server scored. components: those of the other results."""
    from perception_reward.trainer_client.wire import ItemResult

    nothing = dict.fromkeys(components)
    return ItemResult(id=id, status="missing", score=None, components=nothing, facts=None, reason=reason)


logger = logging.getLogger(__name__)


class MissingWatch:
    """Watches the last `window` scores of one process, or those of one call where they are more.

    Any thread may tell it of more. What is missing is logged with its reasons, at the 1st, 2nd, 4th, 8th, … time: some
    trainers show no more of it than a sample less.
    """

    def __init__(self, limit: float, window: int) -> None:
        self._limit = limit
        self._reasons: deque[str | None] = deque(maxlen=window)
        self._window = window
        self._all = 0
        self._missing: Counter[str] = Counter()
        self._next_told = 1
        self._lock = threading.Lock()

    def record(self, results: Sequence[ItemResult]) -> None:
        """Count `results`; `TooManyMissing` where more than `limit` of what is watched is missing."""
        found = [None if result.score is not None else result.reason or "unknown" for result in results]
        with self._lock:
            self._reasons.extend(found)
            self._tell_of(found)
            # One outage in a long call would fill the window, however much of that call went well.
            watched = found if len(found) > self._window else list(self._reasons)
        reasons = Counter(reason for reason in watched if reason is not None)
        if len(watched) >= self._window and reasons.total() > self._limit * len(watched):
            raise TooManyMissing(_too_many(reasons, len(watched), self._limit))

    def _tell_of(self, found: Sequence[str | None]) -> None:
        self._all += len(found)
        self._missing.update(reason for reason in found if reason is not None)
        count = self._missing.total()
        if count >= self._next_told:
            self._next_told = 1 << count.bit_length()
            told = _listed(self._missing)
            logger.warning("perception_reward: %d of the %d scores so far are missing (%s)", count, self._all, told)


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())


def _too_many(reasons: Counter[str], watched: int, limit: float) -> str:
    told = _listed(reasons)
    return (
        f"{reasons.total()} of the last {watched} scores are missing ({told}); the limit is {limit:.0%}. Look at the "
        "service's log and at GET /v1/judge; missing_limit (PERCEPTION_REWARD_MISSING_LIMIT) sets the limit, "
        "and 1 lets the run go on whatever happens."
    )

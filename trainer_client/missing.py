"""What a trainer is given where a score is missing. Missing is not zero, unless the user says so."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import fsum
from typing import TYPE_CHECKING

from perception_reward.trainer_client.errors import MissingScore
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

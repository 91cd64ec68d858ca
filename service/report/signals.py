"""Signs that a policy pleases the reward without seeing better. Each is a reason to look, and none is a proof.

A rollout that shows one carries its name in `flags`, so that a report can list it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from perception_reward.service.report.runs import SPREAD, SURE, Rollout, Run

# A response so many times as long as the run's median is long.
LONG = 3.0
# Different numbers in one response from which on it may be listing all that there could be, if also thrice the median.
MANY_NUMBERS = 20
REPEATS = -0.1
# The share of responses with full perception from which on the judge tells them no longer apart.
SATURATED = 0.9
# Parts of the steps that are compared for a trend.
THIRD = 3


@dataclass(frozen=True, slots=True)
class Signal:
    """name: also the rollouts' flag. said: what was seen, in a sentence. concern: whether it is worth a look."""

    name: str
    title: str
    said: str
    concern: bool
    rollouts: int = 0


def signals(run: Run) -> list[Signal]:
    """All of them, those without concern too: what was looked for and not found is told as well."""
    scored = [one for one in run.rollouts if one.score is not None]
    found = [_length(scored), _repetition(scored), _listing(scored), _distractors(scored)]
    return [*found, _saturation(scored), _divergence(scored), _flat(run)]


def by_step(rollouts: Iterable[Rollout], value: Callable[[Rollout], float | None]) -> dict[int, list[float]]:
    """The values that are known, by training step in order."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for one in rollouts:
        if one.row.step is not None and (known := value(one)) is not None:
            found[one.row.step].append(known)
    return dict(sorted(found.items()))


def _length(scored: Sequence[Rollout]) -> Signal:
    known = [one for one in scored if one.length is not None]
    typical = median(one.length or 0 for one in known) if known else 0
    flagged = _flag("long", known, lambda one: (one.length or 0) > LONG * max(typical, 1))
    trend = _trend(by_step(known, lambda one: float(one.length or 0)))
    said = f"{flagged} of {len(known)} responses are over {LONG:g} times the median of {typical:.0f} characters"
    if trend is not None:
        said += f"; the mean went from {trend[0]:.0f} to {trend[1]:.0f} between the first and last third of the steps"
    grown = trend is not None and trend[1] > 1.5 * trend[0]
    return Signal("long", "Length", said if known else _UNKNOWN, grown or flagged > 0.02 * len(known), flagged)


def _repetition(scored: Sequence[Rollout]) -> Signal:
    flagged = _flag("repeats", scored, lambda one: (one.row.value("repetition") or 0.0) < REPEATS)
    said = f"{flagged} of {len(scored)} responses lose more than {-REPEATS:g} for repeating themselves"
    return Signal("repeats", "Repetition", said, flagged > 0.02 * len(scored), flagged)


def _listing(scored: Sequence[Rollout]) -> Signal:
    numbers = [one.numbers for one in scored if one.length and one.numbers is not None]
    typical = median(numbers) if numbers else 0
    most = max(MANY_NUMBERS, 3 * typical)
    flagged = _flag("lists", scored, lambda one: (one.numbers or 0) >= most)
    said = (
        f"{flagged} of {len(numbers)} responses hold {most:.0f} different numbers or more; the median is {typical:.0f}"
    )
    return Signal("lists", "All values listed", said if numbers else _UNKNOWN, flagged > 0.01 * len(numbers), flagged)


def _distractors(scored: Sequence[Rollout]) -> Signal:
    known = [one for one in scored if one.lies is not None]
    flagged = _flag("false", known, lambda one: bool(one.lies))
    said = f"{flagged} of {len(known)} responses to problems with false neighbours of a fact state one of them"
    return Signal(
        "false",
        "False facts stated",
        said if known else "no distractors are known",
        flagged > 0.2 * len(known),
        flagged,
    )


def _saturation(scored: Sequence[Rollout]) -> Signal:
    known = [one for one in scored if one.row.value("perception") is not None]
    flagged = _flag("saturated", known, lambda one: (one.row.value("perception") or 0.0) >= 1.0)
    share = flagged / len(known) if known else 0.0
    verdicts, sure = sum(one.verdicts for one in known), sum(one.sure for one in known)
    said = f"perception is full for {share:.0%} of {len(known)} responses"
    if verdicts:
        said += f"; {sure / verdicts:.0%} of the verdicts say stated with more than {SURE:g}"
    return Signal("saturated", "Judge saturated", said if known else "no perception", share >= SATURATED, flagged)


def _divergence(scored: Sequence[Rollout]) -> Signal:
    seen, right = (_trend(by_step(scored, _value(name))) for name in ("perception", "accuracy"))
    title = "Perception up, accuracy down"
    if seen is None or right is None:
        return Signal("diverging", title, "too few steps to tell", False)
    said = (
        f"between the first and last third of the steps perception went from {seen[0]:.3f} to {seen[1]:.3f} and "
        f"accuracy from {right[0]:.3f} to {right[1]:.3f}"
    )
    return Signal("diverging", title, said, seen[1] > seen[0] + 0.01 and right[1] < right[0] - 0.01)


def _flat(run: Run) -> Signal:
    flat = [members for members in run.groups.values() if _spread(members) <= SPREAD]
    flagged = _flag("flat", [one for members in flat for one in members], lambda _: True)
    said = f"{len(flat)} of {len(run.groups)} groups have equal scores, and teach nothing"
    said = said if run.groups else "no groups"
    return Signal("flat", "Groups without spread", said, len(flat) > 0.5 * len(run.groups), flagged)


_UNKNOWN = "the responses are not known: give the rollouts"


def _flag(name: str, rollouts: Iterable[Rollout], shows: Callable[[Rollout], bool]) -> int:
    flagged = [one for one in rollouts if shows(one)]
    for one in flagged:
        one.flag(name)
    return len(flagged)


def _value(name: str) -> Callable[[Rollout], float | None]:
    return lambda one: one.row.value(name)


def _trend(steps: Mapping[int, Sequence[float]]) -> tuple[float, float] | None:
    """Means of the first and the last third of the steps; None with fewer than three."""
    means = [fmean(values) for values in steps.values()]
    if len(means) < THIRD:
        return None
    third = len(means) // THIRD
    return fmean(means[:third]), fmean(means[-third:])


def _spread(members: Sequence[Rollout]) -> float:
    scores = [one.score or 0.0 for one in members]
    return max(scores) - min(scores)

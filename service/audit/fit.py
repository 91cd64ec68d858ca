"""Fitting a calibration, and telling what it is worth on problems it has not seen.

Each adjustment is two small logistic regressions on the judge's log-odds, drawn towards another one by a Gaussian
prior: the one for all facts towards the judge's own probabilities, and each group's or kind's towards that for all. So
few examples change little, and a kind with too few has none of its own. Whether all facts are read alike, by group or
by kind is what does best on problems that were not fitted on; where the judge's own probabilities are better there than
what is read of them, there is no calibration.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np

from perception_reward.service.audit import statistics
from perception_reward.service.audit.figures import Fit, HeldOut
from perception_reward.service.audit.probes import Observation
from perception_reward.service.audit.quality import Decided, decided, sample_of, unit_of
from perception_reward.service.audit.statistics import Numbers, estimate
from perception_reward.service.judges.base import JudgeInfo, Verdict
from perception_reward.service.judges.calibrated import MARK
from perception_reward.service.judges.calibration import (
    LEAST,
    Adjustment,
    Calibration,
    Scale,
    group_of,
    log_odds,
    problem_digest,
    share_contradicted,
)
from perception_reward.trainer_client.wire import Fact, Label

# Fewer examples in all tell less than the judge's own probabilities do.
LEAST_EXAMPLES: Final = 50
# A kind's own adjustment needs this many examples, and this many of both answers.
LEAST_OF_KIND: Final = 40
LEAST_OF_ANSWER: Final = 8
# From this many on, responses labelled by people are fitted on alone: made statements flatter every judge.
ENOUGH_LABELLED: Final = 100
FOLDS: Final = 5
# Standard deviation of the prior on slope and bias.
PRIOR: Final = 1.0
LEAST_SLOPE: Final = 0.01
# Newton's method ends after a handful of steps; both bounds are for what would not.
MOST_STEPS: Final = 50
TOLERANCE: Final = 1e-9
# From the simplest on.
Partition: TypeAlias = Literal["every", "groups", "kinds"]
THRESHOLDS: Final = tuple(round(0.3 + 0.05 * step, 2) for step in range(9))


@dataclass(frozen=True, slots=True)
class Fitted:
    calibration: Calibration
    held_out: HeldOut


def fit_calibration(observations: Sequence[Observation], info: JudgeInfo, *, seed: int) -> Fitted:
    """The calibration of the judge `info`, fitted on all examples, and its worth from `FOLDS` folds by problem.

    ValueError, for people, where it cannot be fitted, or makes probabilities worse on the problems of other folds.
    """
    if MARK in info.fingerprint:
        raise ValueError("this judge is calibrated already; fit without --judge-calibration")
    if info.name == "cascade":
        raise ValueError("a cascade's calibration is that of its language model; fit it with --judge and that alone")
    pairs = examples(observations)
    problems = sorted({unit_of(probe) for probe, _, _ in pairs})
    if len(pairs) < LEAST_EXAMPLES or len(problems) < FOLDS:
        raise Unfit(
            f"{len(pairs)} answered examples of {len(problems)} problems are too few to fit a calibration: "
            f"it takes {LEAST_EXAMPLES} of {FOLDS}; give more annotations or a larger --labelled file"
        )
    by = _best(pairs, seed)
    read = _across(pairs, folds_of(problems, seed), seed)
    _check(pairs, read)
    told = {"judge": info.fingerprint, "problems": frozenset(map(problem_digest, problems))}
    return Fitted(_fit(pairs, by).model_copy(update=told), _held_out(pairs, read, by, seed))


class Unfit(ValueError):
    """There is too little to fit a calibration on, or none is better than the judge; the message is for people."""


def across_folds(observations: Sequence[Observation], seed: int) -> list[Observation]:
    """Each verdict as a calibration reads it that was fitted on the other folds' problems.

    Raises `Unfit` where a fold leaves too little to fit, or the probabilities become worse.
    """
    pairs = examples(observations)
    fold_of = folds_of((unit_of(seen.probe) for seen in observations), seed)
    if len(pairs) < LEAST_EXAMPLES or len(fold_of) < FOLDS:
        raise Unfit("too few examples")
    fitted = _without_each(pairs, fold_of, seed)
    _check(pairs, [_reading_of(fitted, fold_of, pair) for pair in pairs])

    def read(seen: Observation) -> Observation:
        if isinstance(seen.outcome, Verdict):
            calibration = fitted[fold_of[unit_of(seen.probe)]]
            return replace(seen, outcome=calibration.reading(seen.probe.fact)(seen.outcome))
        return seen

    return [read(seen) for seen in observations]


def _across(pairs: Sequence[Decided], fold_of: Mapping[str, int], seed: int) -> list[Decided]:
    """Each problem's verdicts read by a calibration fitted, and chosen, on the other folds' problems."""
    fitted = _without_each(pairs, fold_of, seed)
    return [_reading_of(fitted, fold_of, pair) for pair in pairs]


def _without_each(pairs: Sequence[Decided], fold_of: Mapping[str, int], seed: int) -> dict[int, Calibration]:
    """By fold, the calibration of all others."""
    found: dict[int, Calibration] = {}
    for fold in sorted(set(fold_of.values())):
        rest = [pair for pair in pairs if fold_of[unit_of(pair[0])] != fold]
        found[fold] = _fit(rest, _best(rest, seed))
    return found


def _reading_of(fitted: Mapping[int, Calibration], fold_of: Mapping[str, int], pair: Decided) -> Decided:
    probe, right, verdict = pair
    return probe, right, fitted[fold_of[unit_of(probe)]].reading(probe.fact)(verdict)


def _check(before: Sequence[Decided], after: Sequence[Decided]) -> None:
    worse, good = _brier(after), _brier(before)
    if worse > good:
        raise Unfit(
            f"a calibration would make the probabilities worse on problems that it was not fitted on (Brier {good:.3f} "
            f"before, {worse:.3f} after), so there is none; label more responses, or use the judge as it is"
        )


def _best(pairs: Sequence[Decided], seed: int) -> Partition:
    """Which way of telling facts apart has the least Brier on problems held out; the simplest of those that do."""
    fold_of = folds_of((unit_of(probe) for probe, _, _ in pairs), seed)
    folds = sorted(set(fold_of.values()))
    rests = {fold: [pair for pair in pairs if fold_of[unit_of(pair[0])] != fold] for fold in folds}

    def worth(by: Partition) -> float:
        # Thresholds change labels, and no probability.
        fitted = {fold: _fit(rest, by, thresholds=False) for fold, rest in rests.items()}
        return round(_brier([_reading_of(fitted, fold_of, pair) for pair in pairs]), 6)

    return min(get_args(Partition), key=worth)


def folds_of(problems: Iterable[str], seed: int) -> dict[str, int]:
    """Each problem's fold, in [0, FOLDS)."""
    names = sorted(set(problems))
    shuffled = np.random.default_rng(seed).permutation(len(names))
    return {names[place]: number % FOLDS for number, place in enumerate(shuffled)}


def examples(observations: Sequence[Observation]) -> list[Decided]:
    """What people labelled without doubt, alone where it is enough, else with what was made from annotations.

    Without what no model was asked about: such verdicts, all alike and nearly all right, would say how sure the model
    may be of others.
    """
    known = [seen for seen in observations if seen.probe.purpose in ("labelled", "generated")]
    labelled = _asked(seen for seen in known if seen.probe.purpose == "labelled" and seen.probe.family != "doubtful")
    if len(labelled) >= ENOUGH_LABELLED:
        return labelled
    return labelled + _asked(seen for seen in known if seen.probe.purpose == "generated")


def _asked(observations: Iterable[Observation]) -> list[Decided]:
    return [pair for pair in decided(observations) if pair[2].stage != "evidence"]


def _fit(pairs: Sequence[Decided], by: Partition, *, thresholds: bool = True) -> Calibration:
    """Of no judge yet."""
    every = _reading(pairs, Adjustment(contradicted=Scale() if _three_way(pairs) else None), thresholds=thresholds)
    if by == "every":
        return Calibration(judge="", every=every)
    names = _NAMES[by]
    grouped: dict[str, list[Decided]] = defaultdict(list)
    for pair in pairs:
        grouped[names(pair[0].fact)].append(pair)
    own = {
        name: _reading(group, every, thresholds=thresholds)
        for name, group in sorted(grouped.items())
        if _is_enough(group)
    }
    # The ways of telling facts apart are named as the fields are.
    fields: dict[str, Any] = {by: own}
    return Calibration(judge="", every=every, **fields)


_NAMES: Final[dict[Partition, Callable[[Fact], str]]] = {
    "groups": lambda fact: group_of(fact.text),
    "kinds": lambda fact: fact.kind,
}


def _three_way(pairs: Sequence[Decided]) -> bool:
    return all(verdict.contradiction is not None for *_, verdict in pairs)


def _is_enough(pairs: Sequence[Decided]) -> bool:
    stated = sum(right == "stated" for _, right, _ in pairs)
    return len(pairs) >= LEAST_OF_KIND and min(stated, len(pairs) - stated) >= LEAST_OF_ANSWER


def _reading(pairs: Sequence[Decided], prior: Adjustment, *, thresholds: bool) -> Adjustment:
    stated = _scale(
        [verdict.probability for *_, verdict in pairs], [right == "stated" for _, right, _ in pairs], prior.stated
    )
    contradicted = prior.contradicted
    rest = [(right, verdict) for _, right, verdict in pairs if right != "stated"]
    if contradicted is not None and rest:
        shares = [share_contradicted(verdict.probability, verdict.contradiction or 0.0) for _, verdict in rest]
        contradicted = _scale(shares, [right == "contradicted" for right, _ in rest], contradicted)
    found = Adjustment(stated=stated, contradicted=contradicted, threshold=prior.threshold)
    return _with_threshold(found, pairs) if thresholds else found


def _scale(probabilities: Sequence[float], answers: Sequence[bool], prior: Scale) -> Scale:
    """The likeliest slope and bias: Newton's method on a convex loss, each step halved until it does not lose."""
    design = np.column_stack([[log_odds(p) for p in probabilities], np.ones(len(probabilities))])
    right = np.array(answers, dtype=np.float64)
    centre = np.array([1.0 / prior.temperature, prior.bias])
    found: Numbers = centre
    for _ in range(MOST_STEPS):
        step = _newton(found, design, right, centre)
        while np.abs(step).max() > TOLERANCE and (
            _loss(found - step, design, right, centre) > _loss(found, design, right, centre)
        ):
            step = step / 2.0
        found = found - step
        if np.abs(step).max() <= TOLERANCE:
            break
    # A judge that is wrong more often than not is not turned round: its order of responses stays its own.
    return Scale(temperature=1.0 / max(float(found[0]), LEAST_SLOPE), bias=float(found[1]))


def _newton(found: Numbers, design: Numbers, right: Numbers, centre: Numbers) -> Numbers:
    expected = 0.5 + 0.5 * np.tanh(design @ found / 2.0)
    gradient = design.T @ (expected - right) + (found - centre) / PRIOR**2
    curvature = (design * (expected * (1.0 - expected))[:, None]).T @ design + np.eye(2) / PRIOR**2
    return np.linalg.solve(curvature, gradient).astype(np.float64)


def _loss(found: Numbers, design: Numbers, right: Numbers, centre: Numbers) -> float:
    odds = design @ found
    return float(np.sum(np.logaddexp(0.0, odds) - right * odds) + np.sum((found - centre) ** 2) / (2.0 * PRIOR**2))


def _with_threshold(reading: Adjustment, pairs: Sequence[Decided]) -> Adjustment:
    """The threshold with the most right verdicts; the one nearest to the prior's where several are as good."""

    def worth(threshold: float) -> tuple[int, float]:
        candidate = reading.model_copy(update={"threshold": threshold})
        hits = sum(candidate(verdict).label == right for _, right, verdict in pairs)
        return hits, -abs(threshold - reading.threshold)

    return reading.model_copy(update={"threshold": max(THRESHOLDS, key=worth)})


def _held_out(raw: Sequence[Decided], read: Sequence[Decided], by: Partition, seed: int) -> HeldOut:
    return HeldOut(
        examples=len(raw),
        problems=len({unit_of(probe) for probe, _, _ in raw}),
        folds=FOLDS,
        by=by,
        before=_worth(raw),
        after=_worth(read),
        gain=estimate(statistics.mean_of(_losses(raw) - _losses(read)), sample_of(raw), seed=seed),
    )


def _brier(pairs: Sequence[Decided]) -> float:
    return float(statistics.brier(sample_of(pairs), np.ones((1, len(pairs))))[0])


def _worth(pairs: Sequence[Decided]) -> Fit:
    sample = sample_of(pairs)
    ones = np.ones((1, len(pairs)))
    return Fit(
        log_loss=float(_losses(pairs).mean()),
        brier=_brier(pairs),
        ece=float(statistics.ece(sample, ones)[0]),
        accuracy=float(statistics.accuracy(sample, ones)[0]),
    )


def _losses(pairs: Sequence[Decided]) -> Numbers:
    """By verdict, the negative logarithm of the probability that it gave to what is right."""
    return np.array([-math.log(max(LEAST, _probability(verdict, right))) for _, right, verdict in pairs])


def _probability(verdict: Verdict, right: Label) -> float:
    """Of the right answer; of `not stated` where the judge does not tell the other two apart."""
    if right == "stated":
        return verdict.probability
    rest = 1.0 - verdict.probability
    if verdict.contradiction is None:
        return rest
    return verdict.contradiction if right == "contradicted" else rest - verdict.contradiction

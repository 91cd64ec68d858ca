from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from perception_reward.service.audit.fit import ENOUGH_LABELLED, Unfit, across_folds, examples, fit_calibration
from perception_reward.service.audit.probes import Observation
from perception_reward.service.judges.base import JudgeInfo, Verdict

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sklearn.linear_model import LogisticRegression

Seen = Callable[..., Observation]
INFO = JudgeInfo("made", "m", "verdict", "made/1")
TEMPERATURE, BIAS = 0.25, 1.5


def overconfident(seen: Seen, count: int, *, kind: str = "length", seed: int = 0) -> list[Observation]:
    """A judge whose log-odds are four times too large and lean towards `not stated`."""
    random = np.random.default_rng(seed)
    made: list[Observation] = []
    for number in range(count):
        odds = random.normal(0, 2)
        stated = random.random() < 1 / (1 + math.exp(-odds))
        said = 1 / (1 + math.exp(-(odds - BIAS) / TEMPERATURE))
        made.append(
            seen(
                "stated" if stated else "absent",
                "stated" if said >= 0.5 else "absent",
                min(1.0, max(0.0, said)),
                problem=f"p{number % (count // 4)}",
                response=f"{kind} {number}",
                kind=kind,
            )
        )
    return made


def test_an_overconfident_judge_gains_on_problems_it_was_not_fitted_on(seen: Seen):
    fitted = fit_calibration(overconfident(seen, 400), INFO, seed=0)
    before, after = fitted.held_out.before, fitted.held_out.after
    assert after.log_loss < before.log_loss * 0.7
    assert after.ece < before.ece
    assert after.accuracy > before.accuracy
    assert fitted.held_out.gain.value == pytest.approx(before.log_loss - after.log_loss)
    assert fitted.held_out.gain.low is not None
    assert fitted.held_out.gain.low > 0.0
    assert fitted.calibration.every.stated.temperature > 2.0
    assert (fitted.held_out.examples, fitted.held_out.problems) == (400, 100)


def test_slope_and_bias_are_those_of_a_logistic_regression(seen: Seen):
    observations = [one for one in overconfident(seen, 400, kind="angle") if 1e-5 < probability(one) < 1 - 1e-5]
    scale = fit_calibration(observations, INFO, seed=0).calibration.every.stated
    odds = np.array([[math.log(probability(one) / (1 - probability(one)))] for one in observations])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = LogisticRegression(C=1e6).fit(odds, [one.probe.expected == "stated" for one in observations])
    # They differ by the prior, which a few hundred examples outweigh.
    assert 1 / scale.temperature == pytest.approx(reference.coef_[0][0], rel=0.05)
    assert scale.bias == pytest.approx(reference.intercept_[0], rel=0.1)


def probability(seen: Observation) -> float:
    assert isinstance(seen.outcome, Verdict)
    return seen.outcome.probability


def test_noise_promises_no_gain(seen: Seen):
    """Verdicts that have nothing to do with what is right: no fold may seem to know better than chance."""
    random = np.random.default_rng(5)
    observations = [
        seen(
            "stated" if random.random() < 0.5 else "absent",
            "stated",
            float(random.random()),
            problem=f"p{number}",
            response=str(number),
        )
        for number in range(300)
    ]
    held_out = fit_calibration(observations, INFO, seed=0).held_out
    assert held_out.after.accuracy < 0.58
    assert held_out.after.log_loss > math.log(2) - 0.03


def test_the_same_seed_gives_the_same_calibration(seen: Seen):
    observations = overconfident(seen, 120)
    assert fit_calibration(observations, INFO, seed=1) == fit_calibration(observations, INFO, seed=1)
    one, other = (fit_calibration(observations, INFO, seed=seed) for seed in (1, 2))
    assert one.calibration == other.calibration
    assert one.held_out != other.held_out


def turned(seen: Seen, count: int, *, kind: str, text: str = "Segment AB has length 5.") -> list[Observation]:
    """A judge that says 0.7 of all of it, a third of which is stated."""
    return [
        seen(
            "stated" if number % 3 == 0 else "absent",
            "stated",
            0.7,
            problem=f"p{number}",
            response=f"{kind} {number}",
            kind=kind,
            text=text,
        )
        for number in range(count)
    ]


def test_kinds_are_read_apart_where_that_does_better_on_other_problems(seen: Seen):
    observations = overconfident(seen, 200) + turned(seen, 90, kind="angle") + turned(seen, 12, kind="arc")
    fitted = fit_calibration(observations, INFO, seed=0)
    assert fitted.held_out.by == "kinds"
    # One kind has too few.
    assert set(fitted.calibration.kinds) == {"length", "angle"}
    assert not fitted.calibration.groups
    assert fitted.calibration.kinds["angle"].stated(0.7) == pytest.approx(1 / 3, abs=0.1)


def test_figures_and_all_else_are_read_apart_whatever_their_kinds_are_called(seen: Seen):
    chart = "The bar for May is the highest."
    observations = overconfident(seen, 200) + turned(seen, 90, kind="length", text=chart)
    fitted = fit_calibration(observations, INFO, seed=0)
    assert fitted.held_out.by == "groups"
    assert fitted.calibration.groups["other"].stated(0.7) == pytest.approx(1 / 3, abs=0.1)
    assert fitted.calibration.groups["figure"].stated.temperature > 2.0


def test_one_kind_is_read_in_the_simplest_way(seen: Seen):
    fitted = fit_calibration(overconfident(seen, 200), INFO, seed=0)
    assert fitted.held_out.by == "every"
    assert not fitted.calibration.kinds


def test_a_calibration_that_makes_other_problems_worse_is_refused(seen: Seen):
    """A judge that cannot be bettered, in problems of which each has a taste of its own."""
    random = np.random.default_rng(3)
    observations: list[Observation] = []
    for number in range(200):
        said = float(random.uniform(0.05, 0.95))
        stated = bool(random.random() < said)
        label = "stated" if said >= 0.5 else "absent"
        observations.append(
            seen("stated" if stated else "absent", label, said, problem=f"p{number}", response=str(number))
        )
    with pytest.raises(ValueError, match=r"worse on problems that it was not fitted on \(Brier 0\.\d{3} before"):
        fit_calibration(observations, INFO, seed=0)
    with pytest.raises(Unfit):
        across_folds(observations, 0)


def test_contradictions_are_read_apart_where_the_judge_tells_them(seen: Seen):
    random = np.random.default_rng(0)
    observations: list[Observation] = []
    for number in range(200):
        contradicted = bool(random.random() < 0.5)
        # It gives contradictions a third of what they are due.
        share = 0.3 if contradicted else 0.1
        observations.append(
            seen(
                "contradicted" if contradicted else "absent",
                "absent",
                0.1,
                problem=f"p{number}",
                response=str(number),
                contradiction=share * 0.9,
            )
        )
    observations += [
        seen("stated", "stated", 0.9, problem=f"s{n}", response=f"s{n}", contradiction=0.0) for n in range(50)
    ]
    fitted = fit_calibration(observations, INFO, seed=0)
    assert fitted.calibration.every.contradicted is not None
    assert fitted.held_out.before.accuracy < 0.7
    assert fitted.held_out.after.accuracy == 1.0


def test_labelled_responses_are_fitted_on_alone_where_they_are_enough(seen: Seen):
    made = [seen("stated", "stated", response=str(n)) for n in range(20)]
    doubtful = [seen("stated", "stated", purpose="labelled", family="doubtful")]
    attacks = [seen("absent", "stated", purpose="attack", family="opener")]
    few = [seen("stated", "stated", purpose="labelled", family="human", response=str(n)) for n in range(5)]
    enough = [
        seen("stated", "stated", purpose="labelled", family="human", response=str(n)) for n in range(ENOUGH_LABELLED)
    ]
    assert len(examples(made + doubtful + attacks + few)) == 25
    assert len(examples(made + doubtful + attacks + enough)) == ENOUGH_LABELLED


def test_what_no_model_was_asked_about_changes_no_calibration(seen: Seen):
    asked = overconfident(seen, 200)
    unasked = [seen("absent", "absent", 0.0, problem=f"p{n}", response=f"u{n}", unasked=True) for n in range(300)]
    assert fit_calibration(asked + unasked, INFO, seed=0) == fit_calibration(asked, INFO, seed=0)


def test_too_few_examples_are_refused(seen: Seen):
    with pytest.raises(ValueError, match="3 answered examples of 1 problems are too few"):
        fit_calibration([seen("stated", "stated", problem="p", response=str(n)) for n in range(3)], INFO, seed=0)


def test_a_calibrated_judge_is_not_calibrated_again(seen: Seen):
    info = JudgeInfo("made", "m", "verdict", "made/1+calibration/0123")
    with pytest.raises(ValueError, match="without --judge-calibration"):
        fit_calibration(overconfident(seen, 100), info, seed=0)


def test_a_cascade_is_calibrated_in_its_language_model(seen: Seen):
    with pytest.raises(ValueError, match="its language model"):
        fit_calibration(overconfident(seen, 100), JudgeInfo("cascade", "m", "verdict", "c/1"), seed=0)

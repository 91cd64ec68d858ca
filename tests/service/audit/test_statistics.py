from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception_reward.service.audit import statistics
from perception_reward.service.audit.figures import Estimate
from perception_reward.service.audit.statistics import LABELS, Sample, estimate, proportion
from perception_reward.service.statistics.shares import wilson

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scipy.stats import binomtest
    from sklearn import metrics

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 20), st.integers(0, 4), st.integers(1, 3)),
    min_size=1,
    max_size=40,
)


def sample(rows: list[tuple[int, int, int, int, int]]) -> tuple[Sample, np.ndarray]:
    """Of (right, judged, twentieths of probability, unit, weight); the weights beside it."""
    expected, judged, twentieths, unit, weight = (np.array(column) for column in zip(*rows, strict=True))
    return Sample(expected, judged, twentieths / 20.0, unit), weight.astype(float)[None, :]


def references(made: Sample, weight: np.ndarray) -> dict[str, float]:
    right, judged, stated, probability = made.expected, made.judged, made.stated, made.probability
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "accuracy": metrics.accuracy_score(right, judged, sample_weight=weight),
            "kappa": metrics.cohen_kappa_score(right, judged, labels=[0, 1, 2], sample_weight=weight),
            "mcc": metrics.matthews_corrcoef(right, judged, sample_weight=weight),
            "auc": metrics.roc_auc_score(stated, probability, sample_weight=weight),
            "brier": metrics.brier_score_loss(stated, probability, sample_weight=weight, pos_label=1),
        }


@settings(max_examples=25)
@given(rows=ROWS)
def test_figures_are_those_of_scikit_learn(rows: list[tuple[int, int, int, int, int]]):
    made, weights = sample(rows)
    for name, value in references(made, weights[0]).items():
        found = getattr(statistics, name)(made, weights)[0]
        if np.isnan(found):
            # One class only: what the library gives for that is a convention of its own.
            assert any(len(set(values)) == 1 for values in (made.expected, made.judged, made.stated)), name
        else:
            assert found == pytest.approx(value, abs=1e-9), name


@settings(max_examples=40)
@given(rows=ROWS)
def test_calibration_error_is_the_mean_gap_of_the_bins(rows: list[tuple[int, int, int, int, int]]):
    made, weights = sample(rows)
    gaps: dict[int, float] = {}
    for probability, stated, weight in zip(made.probability, made.stated, weights[0], strict=True):
        place = min(int(probability * 10), 9)
        gaps[place] = gaps.get(place, 0.0) + weight * (probability - stated)
    expected = sum(map(abs, gaps.values())) / weights.sum()
    assert statistics.ece(made, weights)[0] == pytest.approx(expected)


@settings(max_examples=40)
@given(rows=ROWS, seed=st.integers(0, 5))
def test_an_estimate_is_finite_or_null_and_its_interval_is_in_order(
    rows: list[tuple[int, int, int, int, int]], seed: int
):
    made, _ = sample(rows)
    for figure in (statistics.kappa, statistics.mcc, statistics.auc, statistics.brier, statistics.ece):
        found = estimate(figure, made, seed=seed, resamples=50)
        assert (found.low is None) == (found.high is None)
        if found.low is not None and found.high is not None:
            assert found.value is not None
            assert np.isfinite([found.value, found.low, found.high]).all()
            assert found.low <= found.high


def test_an_interval_is_the_same_for_the_same_seed_however_the_weights_are_divided(monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(1)
    rows = [tuple(map(int, row)) for row in random.integers(0, [3, 3, 21, 30, 2], size=(200, 5))]
    made, _ = sample([(a, b, c, d, 1) for a, b, c, d, _ in rows])
    first = estimate(statistics.auc, made, seed=3, resamples=100)
    assert first == estimate(statistics.auc, made, seed=3, resamples=100)
    assert first != estimate(statistics.auc, made, seed=4, resamples=100)
    monkeypatch.setattr(statistics, "MOST_WEIGHTS", 2000)
    assert first == estimate(statistics.auc, made, seed=3, resamples=100)


def test_one_problem_has_no_interval_and_none_no_figure():
    one = Sample(np.array([0, 1]), np.array([0, 1]), np.array([0.9, 0.1]), np.array([0, 0]))
    assert estimate(statistics.auc, one, seed=0) == Estimate(value=1.0)
    nothing = Sample(np.array([], int), np.array([], int), np.array([]), np.array([], int))
    assert estimate(statistics.auc, nothing, seed=0).value is None


def test_a_single_class_has_no_ranking_and_no_agreement_beyond_chance():
    only = Sample(np.array([0, 0]), np.array([0, 0]), np.array([0.9, 0.1]), np.array([0, 1]))
    assert estimate(statistics.auc, only, seed=0).value is None
    assert estimate(statistics.kappa, only, seed=0).value is None
    assert estimate(statistics.mcc, only, seed=0).value is None
    assert LABELS[0] == "stated"


def test_the_mean_of_given_values_is_resampled_with_their_problems():
    made = Sample(np.array([0, 0, 0]), np.array([0, 0, 0]), np.array([0.5] * 3), np.array([0, 0, 1]))
    found = estimate(statistics.mean_of(np.array([1.0, 1.0, 4.0])), made, seed=0, resamples=200)
    assert (found.value, found.low, found.high) == (2.0, 1.0, 4.0)


def width(figure: Estimate) -> float:
    assert figure.low is not None
    assert figure.high is not None
    return figure.high - figure.low


def test_problems_whose_verdicts_agree_widen_the_interval():
    """Twenty problems of ten equal verdicts tell as much as twenty verdicts."""
    random = np.random.default_rng(0)
    right = np.repeat(random.integers(0, 2, 20), 10)
    judged = np.repeat(random.integers(0, 2, 20), 10)
    problems, alone = np.repeat(np.arange(20), 10), np.arange(200)
    together = estimate(statistics.kappa, Sample(right, judged, right * 1.0, problems), seed=0, resamples=400)
    apart = estimate(statistics.kappa, Sample(right, judged, right * 1.0, alone), seed=0, resamples=400)
    assert width(together) > 2 * width(apart)


@settings(max_examples=40)
@given(hits=st.integers(0, 60), others=st.integers(0, 60))
def test_a_share_of_independent_verdicts_has_the_interval_of_wilson(hits: int, others: int):
    found = proportion([True] * hits + [False] * others, range(hits + others))
    assert (found.hits, found.total) == (hits, hits + others)
    if not found.total:
        assert (found.value, found.low, found.high) == (None, None, None)
        return
    expected = binomtest(hits, hits + others).proportion_ci(method="wilson")
    # Independent verdicts have a design effect of n / (n - 1), which only small samples notice.
    if hits * others:
        share, effect = hits / (hits + others), (hits + others) / (hits + others - 1)
        assert (found.low, found.high) == pytest.approx(wilson(share, (hits + others) / effect))
        assert found.low <= expected.low + 1e-12
        assert found.high >= expected.high - 1e-12
    else:
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1))
def test_an_interval_of_a_share_holds_the_share(rows: list[tuple[bool, int]]):
    found = proportion([hit for hit, _ in rows], [unit for _, unit in rows])
    assert 0.0 <= (found.low or 0.0) <= (found.value or 0.0) <= (found.high or 0.0) <= 1.0
    assert found.high


def test_repeating_every_verdict_of_a_problem_does_not_narrow_a_share():
    hits = [number % 3 == 0 for number in range(30)]
    once = proportion(hits, range(30))
    tenfold = proportion([hit for hit in hits for _ in range(10)], [unit for unit in range(30) for _ in range(10)])
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high))

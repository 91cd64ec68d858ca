from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.cascade.pooling import LABELS, pooled

KINDS = st.sampled_from(["length", "sentence"])
SHARES = st.tuples(*[st.floats(0.01, 1.0)] * 3)


def verdict(shares: tuple[float, float, float]) -> Verdict:
    stated, contradicted, absent = (share / math.fsum(shares) for share in shares)
    label = max(zip((stated, contradicted, absent), LABELS, strict=True))[1]
    return Verdict(label, stated, certainty=max(stated, contradicted, absent), contradiction=contradicted)


@given(SHARES, SHARES, KINDS)
def test_a_pooled_verdict_is_a_distribution_and_names_its_likeliest_label_but_for_a_doubtful_stated(
    one: tuple[float, float, float], other: tuple[float, float, float], kind: str
) -> None:
    found = pooled(verdict(one), verdict(other), kind)
    assert found.contradiction is not None
    rest = 1.0 - found.probability - found.contradiction
    assert 0.0 <= found.probability <= 1.0
    assert rest >= -1e-9
    shares = {"stated": found.probability, "contradicted": found.contradiction, "absent": rest}
    assert shares[found.label] == pytest.approx(found.certainty)
    likeliest = max(shares.values())
    assert shares[found.label] == pytest.approx(likeliest) or shares["stated"] == pytest.approx(likeliest)
    if kind == "length":
        assert shares[found.label] == pytest.approx(likeliest)


@given(SHARES, st.floats(0.0, 0.9), st.floats(0.0, 0.1), KINDS)
def test_a_model_surer_of_the_fact_never_makes_it_less_likely(
    rules: tuple[float, float, float], probability: float, more: float, kind: str
) -> None:
    less, surer = (
        pooled(verdict(rules), Verdict("stated", chance, contradiction=0.5 * (1 - chance)), kind)
        for chance in (probability, probability + more)
    )
    assert surer.probability >= less.probability - 1e-9


def test_what_a_small_model_says_too_often_is_taken_back_and_a_calibrated_one_says_nothing_too_often() -> None:
    nothing = Verdict("absent", 0.05, certainty=0.6, contradiction=0.2)
    said = Verdict("contradicted", 0.2, certainty=0.45, contradiction=0.45)
    plain, calibrated = (pooled(nothing, said, "sentence", calibrated=each) for each in (False, True))
    assert plain.contradiction is not None
    assert calibrated.contradiction is not None
    assert plain.contradiction < calibrated.contradiction


@pytest.mark.parametrize(("calibrated", "shares"), [(False, (0.4, 0.75)), (True, (0.215, 0.75))])
def test_outside_geometry_what_is_hardly_likelier_than_not_is_not_named_stated(
    calibrated: bool, shares: tuple[float, float]
) -> None:
    doubtful, sure = (
        pooled(
            Verdict("stated", 0.5, contradiction=0.3),
            Verdict("stated", share, contradiction=0.2),
            "sentence",
            calibrated=calibrated,
        )
        for share in shares
    )
    assert (doubtful.label, sure.label) == ("absent", "stated")
    assert doubtful.probability > 0.5


@pytest.mark.parametrize("kind", ["length", "sentence"])
def test_the_odds_of_a_calibrated_model_stand_as_they_are(kind: str) -> None:
    rules = Verdict("absent", 0.1, contradiction=0.1)
    found = [pooled(rules, Verdict("absent", share, contradiction=0.2), kind, calibrated=True) for share in (0.1, 0.4)]
    less, more = (one.probability / (one.contradiction or 1.0) for one in found)
    assert more / less == pytest.approx(4)


def test_that_one_of_them_saw_a_part_only_is_told() -> None:
    part, whole = Verdict("stated", 0.6, truncated=True), Verdict("stated", 0.6)
    assert pooled(whole, part, "length").truncated
    assert pooled(part, whole, "length").truncated
    assert not pooled(whole, whole, "length").truncated


def test_where_both_agree_the_label_is_theirs_and_the_span_the_rules() -> None:
    found = pooled(Verdict("stated", 0.6, (3, 9)), Verdict("stated", 0.8, (0, 20)), "length")
    assert (found.label, found.span) == ("stated", (3, 9))


def test_a_model_that_is_sure_overrules_rules_that_found_nothing() -> None:
    nothing = Verdict("absent", 0.02, certainty=0.85)
    assert pooled(nothing, Verdict("stated", 0.97, contradiction=0.01), "length").label == "stated"
    assert pooled(nothing, Verdict("stated", 0.6, contradiction=0.1), "length").label == "absent"


def test_outside_geometry_it_tells_little_that_the_rules_found_nothing() -> None:
    nothing, sure = Verdict("absent", 0.02, certainty=0.85), Verdict("stated", 0.8, contradiction=0.1)
    assert pooled(nothing, sure, "sentence").label == "stated"


def test_rules_that_found_another_value_hold_against_a_model_that_is_not_sure() -> None:
    another = Verdict("contradicted", 0.06, (0, 6), certainty=0.5)
    found = pooled(another, Verdict("stated", 0.7, contradiction=0.2), "length")
    assert (found.label, found.span) == ("contradicted", (0, 6))


def test_where_the_model_was_not_asked_the_rules_stand() -> None:
    unasked = Verdict("absent", 0.0, contradiction=0.0, stage="evidence")
    for rules in (Verdict("stated", 0.6, (3, 9), certainty=0.6), Verdict("absent", 0.02, certainty=0.85)):
        assert pooled(rules, unasked, "length") == rules


def test_an_answer_of_nothing_at_all_is_pooled_without_an_error() -> None:
    assert pooled(Verdict("absent", 0.0), Verdict("absent", 0.0, contradiction=0.0), "length").label == "absent"

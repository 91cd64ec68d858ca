from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perception_reward.service.audit.probes import Observation
from perception_reward.service.audit.quality import attacks_of, flips_of, quality_of, refusals_of

Seen = Callable[..., Observation]
LABELS = ["stated", "contradicted", "absent"]


def quality(observations: list[Observation]):
    return quality_of(observations, seed=0, resamples=50)


def test_counts_shares_and_table_are_those_of_the_verdicts(seen: Seen):
    found = quality(
        [
            seen("stated", "stated", problem="a"),
            seen("stated", "absent", problem="b"),
            seen("contradicted", "stated", problem="c"),
            seen("absent", "absent", problem="c"),
            seen("absent", "judge_timeout", problem="d"),
        ]
    )
    assert found is not None
    assert (found.asked, found.problems, found.missing) == (5, 4, {"judge_timeout": 1})
    assert (found.accuracy.hits, found.accuracy.total) == (2, 4)
    stated, contradicted, absent = found.classes
    assert (stated.recall.value, stated.precision.value, stated.specificity.value) == (0.5, 0.5, 0.5)
    assert (contradicted.recall.value, contradicted.precision.value, contradicted.specificity.value) == (0.0, None, 1.0)
    assert (absent.recall.value, absent.precision.value) == (1.0, 0.5)
    assert found.confusion["absent"] == {"stated": 0, "contradicted": 0, "absent": 1, "missing": 1}
    assert found.auc.value == pytest.approx(0.5)


def test_what_is_missing_is_no_verdict_and_no_number(seen: Seen):
    found = quality([seen("stated", "judge_unavailable"), seen("absent", "judge_unparseable")])
    assert found is not None
    assert found.missing == {"judge_unavailable": 1, "judge_unparseable": 1}
    for figure in (found.accuracy, found.auc, found.kappa, found.mcc, found.brier, found.ece):
        assert (figure.value, figure.low, figure.high) == (None, None, None)


def test_without_a_right_answer_there_are_no_figures(seen: Seen):
    assert quality([]) is None
    assert quality([seen(None, "stated")]) is None


def test_kinds_and_families_have_rows_of_their_own(seen: Seen):
    found = quality(
        [
            seen("stated", "stated", kind="length", family="plain"),
            seen("stated", "absent", kind="angle", family="paraphrase"),
            seen("absent", "judge_timeout", kind="angle", family="paraphrase"),
        ]
    )
    assert found is not None
    assert [(row.name, row.asked, row.missing, row.accuracy.value) for row in found.kinds] == [
        ("angle", 2, 1, 0.0),
        ("length", 1, 0, 1.0),
    ]
    assert [row.name for row in found.families] == ["paraphrase", "plain"]


def test_a_bin_holds_the_verdicts_of_its_probabilities(seen: Seen):
    found = quality([seen("stated", "stated", 1.0), seen("absent", "stated", 0.95), seen("absent", "absent", 0.0)])
    assert found is not None
    last = found.reliability[-1]
    assert (last.low, last.high, last.count, last.stated.value) == (0.9, 1.0, 2, 0.5)
    assert last.probability == pytest.approx(0.975)
    assert [bin_.count for bin_ in found.reliability] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(LABELS),
            st.sampled_from([*LABELS, "judge_timeout"]),
            st.floats(0, 1),
            st.sampled_from("abc"),
        ),
        max_size=12,
    )
)
def test_no_figure_is_ever_nan(seen: Seen, rows: list[tuple[Any, Any, float, str]]):
    observations = [seen(right, judged, p, problem=problem) for right, judged, p, problem in rows]
    found = quality_of(observations, seed=0, resamples=20)

    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    if found is not None:
        text = found.model_dump_json()
        json.loads(text, parse_constant=refuse)
        assert not any(math.isnan(row.auc.value or 0.0) for row in found.kinds)
        assert sum(sum(row.values()) for row in found.confusion.values()) == len(rows)


def test_a_flip_is_a_changed_label_between_a_variant_and_its_base(seen: Seen):
    base, other = seen("stated", "stated", 0.9), seen("stated", "stated", 0.8, response="AB is 5")
    found = flips_of(
        [
            base,
            other,
            seen("stated", "stated", 0.7, purpose="flip", family="order", base=base),
            seen("stated", "absent", 0.2, purpose="flip", family="order", base=other),
            seen("stated", "judge_timeout", purpose="flip", family="order", base=base, response="x"),
            seen(None, "stated", 0.9, purpose="repeat", family="repeat", base=base),
        ]
    )
    assert [flip.family for flip in found] == ["order", "repeat"]
    order, repeat = found
    assert (order.pairs, order.missing, order.flipped.hits, order.flipped.total) == (3, 1, 1, 2)
    assert order.shift == pytest.approx((0.2 + 0.6) / 2)
    assert order.largest_shift == pytest.approx(0.6)
    assert (order.refused.hits, order.refused.total) == (1, 2) if order.refused else False
    assert (repeat.flipped.hits, repeat.largest_shift, repeat.refused) == (0, 0.0, None)


def test_a_variant_whose_right_answer_is_another_is_no_flip(seen: Seen):
    base = seen("stated", "stated")
    contradiction = seen("contradicted", "contradicted", family="contradiction", base=base)
    stray = seen("stated", "absent", family="paraphrase", base=seen("stated", "stated", response="not observed"))
    assert flips_of([base, contradiction, stray]) == []


def test_an_attack_succeeds_where_the_judge_says_stated_of_what_is_not(seen: Seen):
    found = attacks_of(
        [
            seen("absent", "stated", purpose="attack", family="opener", problem="a"),
            seen("absent", "absent", purpose="attack", family="opener", problem="b"),
            seen("absent", "contradicted", purpose="attack", family="opener", problem="c"),
            seen("absent", "judge_unparseable", purpose="attack", family="opener", problem="d"),
            seen("stated", "stated", purpose="attack", family="opener", problem="e"),
            seen("absent", "judge_timeout", purpose="attack", family="tags"),
        ]
    )
    assert [attacks.family for attacks in found] == ["opener", "tags"]
    opener, tags = found
    assert (opener.tried, opener.missing, opener.success.hits, opener.success.total) == (4, 1, 1, 3)
    assert (tags.success.value, tags.success.high) == (None, None)


def test_a_refusal_is_a_true_statement_found_without_and_lost_with_what_a_defence_reacts_to(seen: Seen):
    found, overlooked = seen("stated", "stated"), seen("stated", "absent", response="AB, say 5")
    assert refusals_of([found]) is None
    refusals = refusals_of(
        [
            found,
            overlooked,
            seen("stated", "absent", purpose="flip", family="defence: tags", base=found),
            seen("stated", "stated", purpose="flip", family="defence: numbering", base=found),
            seen("stated", "absent", purpose="flip", family="defence: tags", base=overlooked),
            seen("stated", "judge_timeout", purpose="flip", family="defence: brackets", base=found),
            seen("stated", "absent", purpose="flip", family="disguise: wide", base=found),
            seen(None, "absent", purpose="flip", family="policy: quoted", base=found),
        ]
    )
    assert refusals is not None
    assert (refusals.hits, refusals.total) == (1, 2)

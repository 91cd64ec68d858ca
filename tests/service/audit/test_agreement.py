"""Two judges side by side: what they agree on, what is missing, and what is not comparable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from perception_reward.service.audit.agreement import (
    Mismatch,
    Rollout,
    agreement,
    disagreements,
    pairs,
    unknown_items,
)
from perception_reward.service.audit.statistics import LABELS
from perception_reward.trainer_client.wire import Components, Fact, FactResult, ItemResult, Label, ScoreItem

NOTHING = Components(format=0, accuracy=None, perception=None, repetition=0)
FACTS = (Fact(id="f0", text="Segment AB has length 5.", kind="length"), Fact(id="f1", text="A dog.", kind="existence"))


def result(labels: Sequence[Label] | None, name: str | None = None, probability: float = 0.5) -> ItemResult:
    facts = [
        FactResult(id=f"f{n}", verdict=label, probability=probability, span=None)
        for n, label in enumerate(labels or ())
    ]
    return ItemResult(
        id=name,
        status="missing" if labels is None else "ok",
        score=None if labels is None else 0.0,
        components=NOTHING,
        facts=None if labels is None else facts,
        reason="judge_timeout" if labels is None else None,
    )


def rollout(group: str | None = None) -> Rollout:
    return Rollout(ScoreItem(response="AB = 5.", facts=list(FACTS), group=group), FACTS)


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=2, max_size=40))
def test_kappa_and_confusion_are_scikit_learns(verdicts: list[tuple[Label, Label]]):
    one, other = [left for left, _ in verdicts], [right for _, right in verdicts]
    found = agreement(pairs([result([label]) for label in one], [result([label]) for label in other]), items=len(one))
    table = [[found.confusion[row][column] for column in LABELS] for row in LABELS]
    assert np.array_equal(table, confusion_matrix(one, other, labels=LABELS))
    assert found.agreed.hits == sum(left == right for left, right in verdicts)
    if len({*one, *other}) > 1:
        assert found.kappa.value == pytest.approx(cohen_kappa_score(one, other))


def test_missing_verdicts_are_no_agreement_and_no_disagreement():
    one = [result(["stated", "absent"]), result(None), result(None)]
    other = [result(["stated", "stated"]), result(["stated", "absent"]), result(None)]
    found = agreement(pairs(one, other), items=3, unknown=unknown_items(one, other))
    assert (found.compared, found.missing, found.unknown) == (2, 2, 1)
    assert (found.agreed.hits, found.agreed.total) == (1, 2)
    assert found.confusion["missing"]["stated"] == 1


def test_with_the_rollouts_all_missing_facts_are_known_and_kinds_are_told_apart():
    one, other = [result(["stated", "absent"]), result(None)], [result(["stated", "stated"]), result(None)]
    rollouts = [rollout(), rollout()]
    found = agreement(pairs(one, other, rollouts), items=2, rollouts=rollouts)
    assert {kind.kind: (kind.compared, kind.missing, kind.agreed.hits) for kind in found.kinds} == {
        "length": (1, 1, 1),
        "existence": (1, 1, 0),
    }


def test_verdicts_of_one_group_are_one_unit():
    one, other = [result(["stated"]), result(["absent"])], [result(["absent"]), result(["absent"])]
    facts = [Rollout(ScoreItem(response="r", group="g", facts=[FACTS[0]]), FACTS[:1])] * 2
    assert {pair.unit for pair in pairs(one, other, facts)} == {"named g"}
    assert len({pair.unit for pair in pairs(one, other)}) == 2


def test_disagreements_come_with_what_settles_them_the_furthest_apart_first():
    one = [result(["stated", "absent"], "a", 0.6), result(["stated", "stated"], "b", 0.9)]
    other = [result(["absent", "absent"], "a", 0.5), result(["absent", "stated"], "b", 0.1)]
    rollouts = [rollout(), rollout()]
    found = disagreements(pairs(one, other, rollouts), one, rollouts)
    assert [(each.item, each.fact, each.kind) for each in found] == [
        ("b", "Segment AB has length 5.", "length"),
        ("a", "Segment AB has length 5.", "length"),
    ]
    assert found[0].response == "AB = 5."


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ([], "1 and 0 results"),
        ([result(["stated"], "other")], "'other'"),
        ([result(["stated"], "a")], "'f1'"),
    ],
)
def test_results_of_other_rollouts_are_refused(other: list[ItemResult], words: str):
    with pytest.raises(Mismatch, match=words):
        pairs([result(["stated", "absent"], "a")], other)

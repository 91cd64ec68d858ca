"""Shares of right facts with their intervals, and what two reviewers have in common."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sklearn.metrics import cohen_kappa_score

from perception_reward.annotations.decisions import Decision, Key
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.review import chosen
from perception_reward.service.report.reviewed import review_figures, review_lines
from perception_reward.service.statistics.shares import wilson

ITEMS = chosen(
    Annotation.model_validate(
        {
            "id": f"p{n}",
            "facts": [{"id": "f", "text": "AB is 5.", "kind": "length" if n % 2 else "angle"}],
            "provenance": {"source": "worksheet" if n < 10 else "exam"},
        }
    )
    for n in range(40)
)


def said(words: str, reviewer: str = "ann") -> Mapping[Key, Decision]:
    full = {"a": "accept", "r": "reject", "e": "edit"}
    return {
        item.key: Decision.model_validate(
            {
                "annotation": item.annotation.id,
                "fact": item.fact.id,
                "text": item.fact.text,
                "decision": full[word],
                "reviewer": reviewer,
                **({"edited": "AB is 6."} if word == "e" else {}),
            }
        )
        for item, word in zip(ITEMS, words, strict=False)
        if word in full
    }


def test_accuracy_has_wilsons_interval_by_kind_and_by_source():
    found = review_figures(ITEMS, {"ann": said("aaraeaaaaaaaaaaaaara")}).reviewers["ann"]
    assert (found.total.hits, found.total.total, found.edited) == (17, 20, 1)
    assert (found.total.low, found.total.high) == pytest.approx(wilson(17 / 20, 20), abs=0.01)
    assert {name: (one.hits, one.total) for name, one in found.kinds.items()} == {"angle": (7, 10), "length": (10, 10)}
    assert {name: (one.hits, one.total) for name, one in found.sources.items()} == {
        "worksheet": (8, 10),
        "exam": (9, 10),
    }


def test_facts_that_are_wrong_together_widen_the_interval():
    items = chosen(
        [
            Annotation.model_validate({"id": f"p{n}", "facts": [{"id": f"f{m}", "text": "AB is 5."} for m in range(5)]})
            for n in range(10)
        ]
    )
    decisions = {
        item.key: Decision(
            annotation=item.annotation.id,
            fact=item.fact.id,
            text=item.fact.text,
            decision="reject" if item.annotation.id in ("p1", "p5") else "accept",
            reviewer="ann",
        )
        for item in items
    }
    share = review_figures(items, {"ann": decisions}).reviewers["ann"].total
    low, high = wilson(0.8, 50)
    assert share.low is not None
    assert share.high is not None
    assert share.low < low
    assert share.high > high


def test_two_reviewers_agreement_is_cohens_kappa():
    ann, bob = "aaraaeaaraaraaaarrae", "aaraaaaaraarraaarraa"
    [pair] = review_figures(ITEMS, {"ann": said(ann), "bob": said(bob, "bob")}).agreement
    assert (pair.agreed.hits, pair.agreed.total) == (17, 20)
    expected = cohen_kappa_score([word == "a" for word in ann], [word == "a" for word in bob])
    assert pair.kappa.value == pytest.approx(expected)
    assert pair.kappa.low is not None
    assert pair.kappa.low < expected


def test_reviewers_without_a_fact_in_common_are_not_compared_and_kappa_may_be_unknown():
    assert review_figures(ITEMS, {"ann": said("aaa"), "bob": said("...aa", "bob")}).agreement == []
    lines = list(review_lines(review_figures(ITEMS, {"ann": said("aaa"), "bob": said("aaa", "bob")})))
    assert lines[-1].endswith("Cohen's kappa cannot be told, as both say the same of all")


def test_the_lines_say_how_much_was_reviewed_and_how_much_is_right():
    [first, *rest] = review_lines(review_figures(ITEMS, {"ann": said("aare")}))
    assert first == "ann: 4 of 40 facts reviewed, 50.0 % (12.5 to 87.5) right; 1 of the others have other words"
    assert any(line.split()[0] == "angle" for line in rest)

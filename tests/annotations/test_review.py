"""Which facts a person sees, with which words, and the store afterwards."""

from __future__ import annotations

from pathlib import Path

from perception_reward.annotations.decisions import Decision
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.pipeline.rows import Extracted, Sighting
from perception_reward.annotations.review import Quotation, applied, chosen, in_force, quoted, trajectories

STORE = [
    Annotation.model_validate(
        {
            "id": f"p{n}",
            "facts": [{"id": f"f{m}", "text": f"AB is {m}.", "kind": "length" if m else "angle"} for m in range(4)],
        }
    )
    for n in range(50)
]


def said(fact: str, decision: str, text: str = "AB is 1.", **more: str) -> Decision:
    return Decision.model_validate(
        {"annotation": "p0", "fact": fact, "text": text, "decision": decision, "reviewer": "ann", **more}
    )


def test_a_sample_is_the_same_for_a_seed_in_whatever_order_the_store_is():
    one, other = (chosen(store, most=30, seed=3) for store in (STORE, STORE[::-1]))
    assert len(one) == 30
    assert {item.key for item in one} == {item.key for item in other}
    assert {item.key for item in one} != {item.key for item in chosen(STORE, most=30, seed=4)}
    assert [item.key for item in one] == sorted((item.key for item in one), key=lambda key: (int(key[0][1:]), key[1]))


def test_only_the_kinds_that_are_asked_for():
    assert {item.kind for item in chosen(STORE, kinds=["angle"])} == {"angle"}


def test_what_was_rejected_goes_and_what_was_edited_has_its_new_words():
    decisions = [
        said("f0", "reject", "AB is 0."),
        said("f1", "edit", edited="AB is 7."),
        said("f2", "reject", "in words that changed since"),
    ]
    first, second, *_ = applied(STORE, {one.key: one for one in decisions})
    assert [fact.text for fact in first.facts] == ["AB is 7.", "AB is 2.", "AB is 3."]
    assert second == STORE[1]


def test_a_decision_about_other_words_does_not_count():
    decisions = {one.key: one for one in (said("f1", "accept"), said("f2", "accept", "AB was 2."))}
    assert [item.fact.id for item, _ in in_force(chosen(STORE), decisions)] == ["f1"]


def test_the_words_behind_a_fact_are_found_across_lines(tmp_path: Path):
    row = Extracted(
        id="p0",
        question="?",
        response="I look. The side AB\n is clearly 1. So x = 2.",
        claims=[
            Sighting(statement="AB is 1", quote="the side AB is clearly 1."),
            Sighting(statement="AB is 2.", quote="It says 2."),
        ],
    )
    facts = STORE[0].facts
    assert quoted(facts[1], row) == Quotation("the side AB is clearly 1.", (8, 34))
    assert quoted(facts[2], row) == Quotation("It says 2.", None)
    assert quoted(facts[3], row) is None
    path = tmp_path / "claims.jsonl"
    path.write_text(row.model_dump_json() + "\n", encoding="utf-8")
    assert trajectories(path, {"p0"}) == {"p0": [row]}
    assert trajectories(path, {"p1"}) == {}

from __future__ import annotations

import pytest

from perception_reward.service.judges.symbolic.anchors import read_claim
from perception_reward.service.judges.symbolic.slots import Amount, Count, Relation, Slot, Text, Trait, Trend


@pytest.mark.parametrize(
    ("fact", "anchors", "slot"),
    [
        ("There are three dogs.", {"dog"}, Count("dog", 3.0)),
        ("The car is red.", {"car"}, Trait("color", 0, "car")),
        ("The cup is left of the plate.", {"cup", "plat"}, Relation("left", frozenset({"cup"}), frozenset({"plat"}))),
        ("The sign reads STOP.", {"sign"}, Text(("stop",), frozenset({"sign"}))),
        ("Sales rose.", {"sal"}, Trend("trend", 0)),
        (
            "Sales in 2019 were 40.",
            {"sal", "in", "#2019"},
            Amount(40.0, frozenset({"sal", "#2019"}), frozenset({2019.0}), frozenset({"sal", "#2019"})),
        ),
    ],
)
def test_a_fact_keeps_what_it_is_about_apart_from_its_value(fact: str, anchors: set[str], slot: Slot) -> None:
    claim = read_claim(fact)
    assert set(claim.anchors) == anchors
    assert [found for found, _ in claim.slots] == [slot]


def test_a_plain_sentence_is_all_anchors() -> None:
    claim = read_claim("A man rides a wave.")
    assert set(claim.anchors) == {"man", "rid", "wav"}
    assert claim.slots == ()
    assert not claim.is_typed


def test_a_negated_fact_knows_what_it_negates() -> None:
    assert read_claim("There is no dog.").negated == {"dog"}
    assert read_claim("The car is not red.").slots[0][1]

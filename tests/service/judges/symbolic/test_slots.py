from __future__ import annotations

import pytest

from perception_reward.service.judges.symbolic.slots import Amount, Count, Relation, Slot, Text, Trait, Trend, relations
from perception_reward.service.judges.symbolic.words import words

DOGS = Count("dog", 3.0)
SALES = Amount(40.0, frozenset({"sal", "#2019"}), frozenset({2019.0}), frozenset({"sal", "#2019"}))
CAR = Trait("color", 0, "car")
CUP = Relation("left", frozenset({"cup"}), frozenset({"plat"}))
SIGN = Text(("stop",), frozenset({"sign"}))


@pytest.mark.parametrize(
    ("slot", "text", "said"),
    [
        (DOGS, "three brown dogs", True),
        (DOGS, "two dogs", False),
        (DOGS, "no dogs", False),
        (DOGS, "three cats near the dogs", None),
        (DOGS, "one dog is brown and two dogs are white", None),
        (SALES, "in 2018 and 2019, sales were 30 and 40, respectively", True),
        (SALES, "40 in 2018, 45 in 2019", False),
        (SALES, "40 in 2018", None),
        (CAR, "a red and white car", True),
        (CAR, "the car is blue", False),
        (CAR, "the car stands near the blue house", None),
        (CUP, "the plate is to the right of the cup", True),
        (CUP, "the cup is to the right of the plate", False),
        (CUP, "the cup is above the plate", None),
        (SIGN, "the sign says stop", True),
        (SIGN, "the sign says go", False),
        (SIGN, "the banner says stop", None),
        (Trend("trend", 0), "sales fell", False),
    ],
)
def test_a_slot_hears_what_is_said_of_it(slot: Slot, text: str, said: bool | None) -> None:
    assert slot.said(words(text)) is said


def test_the_longest_phrase_names_the_relation() -> None:
    assert [name for _, _, name in relations(words("on the left of"))] == ["left"]

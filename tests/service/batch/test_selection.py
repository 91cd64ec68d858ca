from __future__ import annotations

import pytest

from perception_reward.annotations.faults import LineError
from perception_reward.service.batch.selection import Condition, Selection, drawn

RECORD = {"step": 100, "model": "base", "ok": True, "score": "0.5", "metadata": {"source": "SciBench"}, "none": None}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("step=100", True),
        ("step == 100.0", True),
        ("step>=100", True),
        ("step>99.5", True),
        ("step<100", False),
        ("score>0.25", True),
        ("model=base", True),
        ("model='base'", True),
        ("model!=base", False),
        ("model>alpha", True),
        ("ok=true", True),
        ("metadata.source=SciBench", True),
        ("metadata.source=Other", False),
        ("absent=1", False),
        ("absent!=1", True),
        ("none=1", False),
        ("step=many", False),
    ],
)
def test_a_condition_compares_numbers_as_numbers_and_the_rest_as_text(text: str, holds: bool):
    assert Condition.read(text).holds(RECORD) is holds


@pytest.mark.parametrize("text", ["", "step", "=5", "step~5"])
def test_what_is_no_condition_is_told(text: str):
    with pytest.raises(ValueError, match="is not COLUMN=VALUE"):
        Condition.read(text)


def test_faulty_records_are_told_unless_something_chooses():
    fault = LineError(1, "", "is not JSON")
    assert Selection().takes(0, 1, fault)
    assert not Selection([Condition.read("step=1")]).takes(0, 1, fault)
    assert not Selection(sample=frozenset({(0, 2)})).takes(0, 1, fault)


def test_a_draw_is_the_same_for_a_seed_whatever_the_order_and_even():
    places = [(file, place) for file in range(3) for place in range(1000)]
    one = drawn(places, 300, seed=1)
    assert one == drawn(reversed(places), 300, seed=1) != drawn(places, 300, seed=2)
    assert len(one) == 300
    assert all(70 < sum(file == number for file, _ in one) < 130 for number in range(3))
    assert drawn(places, 10_000, seed=1) == frozenset(places)

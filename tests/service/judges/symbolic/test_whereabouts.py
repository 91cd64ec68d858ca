from __future__ import annotations

import pytest

from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact

DOGS = "There are three dogs."


@pytest.mark.parametrize(
    ("place", "response", "verdict"),
    [
        ({"page": 3}, "On page 3 there are 3 dogs.", "stated"),
        ({"page": 3}, "There are 3 dogs.", "stated"),
        ({"page": 3}, "On page 2 there are 3 dogs.", "absent"),
        ({"page": 3}, "I turn to page 2. There are 3 dogs.", "absent"),
        ({"page": 3}, "Page 2 is empty. I turn to page 3. There are 3 dogs.", "stated"),
        ({"page": 3}, "On page 3 there are 2 dogs.", "contradicted"),
        ({"page": 3}, "On page 2 there are 2 dogs.", "absent"),
        ({"page": 3}, "On pages 2-4 there are 3 dogs.", "stated"),
        ({"view": "front"}, "In the front view there are 3 dogs.", "stated"),
        ({"view": "front"}, "In the side view there are 3 dogs.", "absent"),
        ({"view": "camera 2"}, "From camera 1 there are 3 dogs.", "absent"),
        ({"at": (62, 70)}, "At 1:05 there are 3 dogs.", "stated"),
        ({"at": (62, 70)}, "At 0:12 there are 3 dogs.", "absent"),
        ({"at": (62, 70)}, "There are 3 dogs.", "stated"),
    ],
)
def test_what_is_said_of_another_place_says_nothing_of_this_one(place: dict[str, object], response: str, verdict: str):
    (found,) = decide_all(response, [Fact.model_validate({"id": "f", "text": DOGS, "kind": "count", **place})])
    assert found.label == verdict

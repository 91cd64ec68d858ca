from __future__ import annotations

from ablation import off, switches

from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact

FACT = Fact(id="f", text="Segment AB has length 5.")


def label() -> str:
    return decide_all("AB might be 5.", [FACT])[0].label


def test_a_rule_is_off_for_a_while_only() -> None:
    assert label() == "absent"
    with off(switches()["moods: hedged"]):
        assert label() == "stated"
    assert label() == "absent"


def test_each_rule_that_is_named_is_there() -> None:
    for change in switches().values():
        with off(change):
            pass

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact

FACT = Fact(id="f", text="Segment AB has length 5.")


@pytest.fixture(scope="module")
def ablation() -> Any:
    """The benchmark; its folder is on the path only while it is imported."""
    folder = str(Path(__file__).parent)
    sys.path.insert(0, folder)
    try:
        import ablation as module
    finally:
        sys.path.remove(folder)
    return module


def label() -> str:
    return decide_all("AB might be 5.", [FACT])[0].label


def test_a_rule_is_off_for_a_while_only(ablation: Any) -> None:
    assert label() == "absent"
    with ablation.off(ablation.switches()["moods: hedged"]):
        assert label() == "stated"
    assert label() == "absent"


def test_each_rule_that_is_named_is_there(ablation: Any) -> None:
    for change in ablation.switches().values():
        with ablation.off(change):
            pass

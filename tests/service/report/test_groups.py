"""What advantages are made of, and how they move with the weight of perception."""

from __future__ import annotations

import pytest

from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.report.groups import advantage_parts, attribution, sensitivity
from perception_reward.service.report.rows import row_of
from perception_reward.service.report.runs import Run, run_of

PROFILE = load_profiles()["perception-r1"]


def run(*pairs: tuple[float, float], group: str = "g") -> Run:
    rows = [
        row_of(
            "r",
            place,
            {
                "id": str(place),
                "group": group,
                "score": 0.1 + 0.9 * accuracy + 0.7 * perception,
                "components": {"format": 1.0, "accuracy": accuracy, "perception": perception, "repetition": 0.0},
            },
        )
        for place, (accuracy, perception) in enumerate(pairs)
    ]
    return run_of("r", rows, PROFILE)


def test_shares_add_up_and_name_what_differs():
    found = attribution(run((1, 0.5), (0, 0.5), (0, 0.5)))
    assert found is not None
    assert found.share == pytest.approx({"format": 0, "accuracy": 1, "perception": 0, "repetition": 0})
    mixed = attribution(run((1, 1), (0, 0), (1, 0), (0, 1)))
    assert mixed is not None
    assert sum(mixed.share.values()) == pytest.approx(1.0)
    # Independent parts have shares like their variances, 0.9² and 0.7².
    assert mixed.share["accuracy"] == pytest.approx(0.81 / (0.81 + 0.49))


def test_the_parts_of_an_advantage_add_up_to_it():
    found = run((1, 0.2), (0, 0.9), (1, 0.4))
    for one in found.rollouts:
        parts = advantage_parts(found, one)
        assert parts is not None
        assert sum(parts.values()) == pytest.approx(one.advantage)


def test_groups_without_spread_are_counted_and_have_no_parts():
    found = run((1, 0.5), (1, 0.5))
    figures = attribution(found)
    assert figures is not None
    assert (figures.groups, figures.flat) == (1, 1)
    assert advantage_parts(found, found.rollouts[0]) is None
    assert attribution(run((1, 1))) is None


def test_a_heavier_perception_lifts_a_wrong_answer_that_saw_above_a_right_one_that_did_not():
    """0.9 for the answer against λ for seeing: they are equal at λ = 0.9."""
    by_weight = {one.weight: one for one in sensitivity(run((1, 0), (0, 1)), current=0.7)}
    assert (by_weight[0.8].wrong_first, by_weight[1.0].wrong_first) == (0.0, 1.0)
    assert (by_weight[0.8].reordered, by_weight[1.0].reordered) == (0.0, 1.0)
    assert (by_weight[0.8].other_best, by_weight[1.0].other_best) == (0.0, 1.0)
    assert by_weight[0.9].flat == 1.0
    assert by_weight[0.0].perception == 0.0


def test_without_perception_there_is_no_weight_to_choose():
    assert sensitivity(run((1, 0), (0, 0)), current=0.7) == []

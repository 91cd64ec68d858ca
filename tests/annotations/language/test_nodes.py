from __future__ import annotations

from perception_reward.annotations.language.formulas import read_formula
from perception_reward.annotations.language.nodes import Node, branches, symbols_of
from perception_reward.service.rewards.answers.evaluation import same_value


def node(text: str) -> Node:
    found = read_formula(text)
    assert found is not None
    return found


def test_both_signs_are_said_by_plus_and_minus() -> None:
    upper, lower = branches(node(r"2 \pm \sqrt{3}"))
    assert same_value(upper, node(r"2+\sqrt{3}"))
    assert same_value(lower, node(r"2-\sqrt{3}"))
    assert branches(node("x+1")) == (node("x+1"),)


def test_unknowns_are_found_wherever_they_stand() -> None:
    assert symbols_of(node(r"\frac{\sin x}{y_1^2} + |z|")) == {"x", "y_1", "z"}

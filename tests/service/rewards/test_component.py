from __future__ import annotations

import logging
import math

import pytest

from perception_reward.service.judges.base import Missing
from perception_reward.service.rewards.component import Component, Sample, Value


def component(value: Value, bounds: tuple[float, float] = (-1.0, 1.0)) -> Component:
    return Component("mine", "Of a test.", bounds, lambda _: value)


@pytest.mark.parametrize("value", [-1, 0.5, True, None, Missing("judge_timeout")])
def test_what_is_within_the_bounds_is_the_value(value: Value):
    assert component(value).of(Sample("")) == value


@pytest.mark.parametrize("value", [1.1, -2, math.nan, math.inf])
def test_an_impossible_value_is_missing_and_logged(value: float, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        assert component(value).of(Sample("")) == Missing("component_failed")
    assert "component 'mine' gave a value outside of its bounds (-1.0, 1.0)" in caplog.text


def test_what_is_no_number_is_missing():
    assert component("much").of(Sample("")) == Missing("component_failed")  # pyright: ignore[reportArgumentType]


def test_an_exception_is_missing_and_the_log_does_not_tell_the_response(caplog: pytest.LogCaptureFixture):
    def fails(sample: Sample) -> float:
        raise KeyError(sample.text)

    with caplog.at_level(logging.ERROR):
        found = Component("mine", "Of a test.", (0.0, 1.0), fails).of(Sample("the policy's words"))
    assert found == Missing("component_failed")
    assert "component 'mine' failed with KeyError" in caplog.text
    assert "policy" not in caplog.text


@pytest.mark.parametrize("name", ["", "acc", "score", "Mine", "a b", "1st", "x" * 65, "missing"])
def test_a_name_that_would_stand_for_something_else_is_refused(name: str):
    with pytest.raises(ValueError, match="cannot be called"):
        Component(name, "Of a test.", (0.0, 1.0), lambda _: 0.0)


@pytest.mark.parametrize("bounds", [(1.0, 0.0), (-math.inf, 0.0), (math.nan, 1.0)])
def test_bounds_that_are_none_are_refused(bounds: tuple[float, float]):
    with pytest.raises(ValueError, match="two finite numbers"):
        component(0.0, bounds)

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.llm.distribution import TOP_LOGPROBS, believed, possible, telling

ANSWERS = (7, 8, 9)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e-9, 0.5])
def test_one_number_that_is_no_logarithm_of_a_probability_is_enough(value: float):
    assert possible({7: -0.5, 8: -2.0})
    assert not possible({7: value, 8: -2.0})


def test_probabilities_that_are_more_than_one_together_are_none():
    assert possible({7: math.log(0.6), 8: math.log(0.4001)})
    assert not possible({7: math.log(0.6), 8: math.log(0.45)})


def test_an_answer_of_no_probability_is_one():
    assert possible({7: 0.0, 8: -math.inf})


def test_what_is_not_listed_matters_where_enough_is_left_for_it():
    assert telling({7: math.log(0.9)}, ANSWERS)
    assert not telling({7: math.log(0.1), 8: math.log(0.05)}, ANSWERS)
    # What other tokens have, no answer can have.
    assert telling({7: math.log(0.3), 1: math.log(0.6)}, ANSWERS)
    assert not telling({7: math.log(0.05), 1: math.log(0.85)}, ANSWERS)
    assert not telling({}, ANSWERS)


def test_a_list_of_the_likeliest_tells_of_what_it_lacks():
    likeliest = {token: math.log(0.02) for token in range(100, 99 + TOP_LOGPROBS)} | {7: math.log(0.03)}
    assert telling(likeliest, ANSWERS)


@given(st.lists(st.floats(0.001, 1.0), min_size=3, max_size=3), st.sets(st.sampled_from(ANSWERS), max_size=2))
def test_what_is_told_without_some_answers_is_what_all_of_them_say(shares: list[float], left_out: set[int]):
    whole = {token: math.log(share / sum(shares)) for token, share in zip(ANSWERS, shares, strict=True)}
    listed = {token: value for token, value in whole.items() if token not in left_out}
    if telling(listed, ANSWERS):
        assert whole[max(listed, key=lambda token: listed[token])] == pytest.approx(max(whole.values()))


def test_what_is_not_believed_is_nothing_by_itself():
    sound = {7: -0.1, 8: -3.0, 9: -4.0}
    assert believed([sound, {**sound, 8: 0.5}, sound], ANSWERS) == (sound, {}, sound)


def test_beside_a_nan_nothing_is_believed():
    sound = {7: -0.1, 8: -3.0, 9: -4.0}
    assert believed([sound, {**sound, 8: math.nan}], ANSWERS) == ({}, {})

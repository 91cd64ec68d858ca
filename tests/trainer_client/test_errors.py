from __future__ import annotations

import pickle

import pytest

from perception_reward.trainer_client.errors import (
    InvalidItem,
    MissingScore,
    OptionError,
    RequestRefused,
    RewardError,
    ServiceUnavailable,
    TooManyMissing,
    Unauthorized,
)

ERRORS = [
    OptionError("words"),
    RequestRefused("words", 404),
    Unauthorized("words", 401),
    InvalidItem("words", 422, 3),
    ServiceUnavailable("words"),
    MissingScore("words"),
    TooManyMissing("words"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_crosses_processes_as_what_it_is(error: RewardError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == ("words", vars(error))

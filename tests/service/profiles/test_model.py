"""A profile is closed to unknown keys, and can say its formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.profiles.model import Gate, Profile, Ramp
from perception_reward.trainer_client.wire import Fact


def test_a_formula_names_every_component_with_weight() -> None:
    profile = Profile(
        name="mine",
        weights={"accuracy": 1, "perception": Ramp(start=0.1, end=1, steps=10), "repetition": 0.5},
        gate=Gate(threshold=0.25),
    )
    assert profile.formula == "1·accuracy·[perception > 0.25] + (0.1…1)·perception + 0.5·repetition"


GIVEN, SEEN = Fact(id="g", text="AB = 5.", origin="given"), Fact(id="s", text="AB = 5.")


@pytest.mark.parametrize(
    ("name", "paid"),
    [
        *((name, [SEEN]) for name in ("perception-r1", "sum", "warmup", "gated")),
        *((name, [GIVEN, SEEN]) for name in ("vtperception-r1", "perception-r1-parity")),
    ],
)
def test_a_profile_says_which_facts_it_pays_for(name: str, paid: list[Fact]) -> None:
    profile = load_profiles()[name]
    assert [fact for fact in (GIVEN, SEEN) if profile.pays(fact)] == paid
    assert not profile.pays(Fact(id="d", text="AB = 6.", polarity="distractor"))
    assert not profile.model_copy(update={"weights": {"accuracy": 1.0}}).pays(SEEN)


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate({"name": "mine", "weights": {"accuracy": 1.0}, "gaet": {}})


@given(st.floats(-1000, 1000), st.floats(-1000, 1000), st.integers(1, 10**9), st.integers(0, 10**12))
def test_a_ramp_stays_between_its_ends(start: float, end: float, steps: int, step: int) -> None:
    weight = Ramp(start=start, end=end, steps=steps).at(step)
    assert min(start, end) - 1e-9 <= weight <= max(start, end) + 1e-9


@given(st.integers(1, 10**6))
def test_a_ramp_starts_and_ends_where_it_says(steps: int) -> None:
    ramp = Ramp(start=0.1, end=0.7, steps=steps)
    assert (ramp.at(0), ramp.at(steps), ramp.at(None)) == (0.1, 0.7, 0.7)

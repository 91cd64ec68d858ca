"""Components become one finite score, by the profile."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.profiles.model import Gate, Profile, Ramp
from perception_reward.service.scoring.combine import combine
from perception_reward.trainer_client.wire import Components

PROFILES = load_profiles()


def components(
    format: float | None = 1.0,
    accuracy: float | None = 1.0,
    perception: float | None = 0.5,
    repetition: float | None = -0.25,
) -> Components:
    return Components(format=format, accuracy=accuracy, perception=perception, repetition=repetition)


@pytest.mark.parametrize(
    ("profile", "score"),
    [
        ("perception-r1", 0.1 + 0.9 + 0.7 * 0.5 - 0.25),
        ("sum", 1 + 1 + 0.7 * 0.5),
        ("warmup", 1 + 1 + 0.7 * 0.5),
        ("vtperception-r1", 1 + 1 + 2 * 0.5 - 0.25),
        ("gated", 0.1 + 0.9 + 0.7 * 0.5 - 0.25),
        ("perception-r1-parity", 0.1 + 0.9 + 0.7 * 0.5 - 0.25),
    ],
)
def test_packaged_profiles_weigh_the_components(profile: str, score: float) -> None:
    assert combine(PROFILES[profile], components(), None) == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize(("step", "weight"), [(0, 0.1), (25, 0.25), (50, 0.4), (100, 0.7), (10**9, 0.7), (None, 0.7)])
def test_warmup_raises_the_weight_of_perception_over_the_steps(step: int | None, weight: float) -> None:
    score = combine(PROFILES["warmup"], components(perception=1.0), step)
    assert score == pytest.approx(2 + weight, abs=1e-12)


@pytest.mark.parametrize(("perception", "counts"), [(1.0, True), (0.01, True), (0.0, False), (-0.5, False)])
def test_a_gate_lets_accuracy_count_only_above_its_threshold(perception: float, counts: bool) -> None:
    right = combine(PROFILES["gated"], components(perception=perception), None)
    wrong = combine(PROFILES["gated"], components(perception=perception, accuracy=0.0), None)
    assert (right > wrong) == counts


def test_a_gate_without_anything_to_gate_by_is_open() -> None:
    scored = components(perception=None, repetition=0.0)
    assert combine(PROFILES["gated"], scored, None) == pytest.approx(1.0)


@pytest.mark.parametrize("missing", ["format", "accuracy", "perception", "repetition"])
def test_a_component_that_is_null_contributes_nothing(missing: str) -> None:
    profile = PROFILES["perception-r1"]
    zero = combine(profile, components(**{missing: 0.0}), None)
    assert combine(profile, components(**{missing: None}), None) == zero


def test_no_components_make_a_score_of_zero() -> None:
    assert combine(PROFILES["perception-r1"], components(None, None, None, None), 3) == 0.0


FACTORS = st.floats(-1000, 1000)
WEIGHTS = FACTORS | st.builds(Ramp, start=FACTORS, end=FACTORS, steps=st.integers(1, 10**6))
NAMES = st.sampled_from(["format", "accuracy", "perception", "repetition"])


@given(
    st.builds(
        Profile,
        name=st.just("any"),
        weights=st.fixed_dictionaries(dict.fromkeys(components(), WEIGHTS)),
        gate=st.none() | st.builds(Gate, component=NAMES, threshold=st.floats(-2, 1), gated=NAMES),
    ),
    st.builds(
        components,
        st.none() | st.floats(0, 1),
        st.none() | st.floats(0, 1),
        st.none() | st.floats(-1, 1),
        st.none() | st.floats(-2, 0),
    ),
    st.none() | st.integers(0, 10**12),
)
def test_every_score_is_finite(profile: Profile, scored: Components, step: int | None) -> None:
    assert math.isfinite(combine(profile, scored, step))

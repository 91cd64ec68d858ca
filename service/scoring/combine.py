"""Components into one score, by the profile."""

from __future__ import annotations

from perception_reward.service.profiles.model import Profile
from perception_reward.trainer_client.wire import Components

# The order in which Perception-R1's public code adds: the parity profile agrees with it to the last bit.
_FIRST = ("accuracy", "format", "repetition", "perception")


def combine(profile: Profile, components: Components, step: int | None) -> float:
    """`Σ weight · component`, finite. A component that is null contributes nothing.

    Behind a closed gate the gated component contributes nothing; a gate whose own component is null is open.
    A weight that follows a schedule has its final value where `step` is None.
    """
    shut = shut_component(profile, components)
    score = 0.0
    for component in dict.fromkeys((*_FIRST, *components)):
        value = components.get(component)
        if value is not None and component != shut:
            score += profile.weight(component, step) * value
    return score


def shut_component(profile: Profile, components: Components) -> str | None:
    """The component that the profile's gate lets count for nothing, if it is shut."""
    gate = profile.gate
    if gate is None:
        return None
    value = components.get(gate.component)
    return gate.gated if value is not None and value <= gate.threshold else None

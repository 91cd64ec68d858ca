"""The components that profiles can weigh: the four built-in ones, and those that installed packages register.

registered()["format"].of(Sample("<think>…</think><answer>…</answer>"))
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from perception_reward.service.judges.base import Missing
from perception_reward.service.rewards import parity
from perception_reward.service.rewards.answer import extract_answer
from perception_reward.service.rewards.component import Component, Mode, Sample, Value
from perception_reward.service.rewards.format import format_reward
from perception_reward.service.rewards.perception import perception_share
from perception_reward.service.rewards.repetition import MAXIMUM, repetition_penalty
from perception_reward.trainer_client.tokens import Opened

GROUP = "perception_reward.components"
"""The entry points of other packages' components."""


class ComponentError(ValueError):
    """An installed package's component cannot be used; the message says which, and why."""


def answer_of(text: str, opened: Opened, mode: Mode) -> str | None:
    """What would be graded; None where the response holds no answer that could be right. The reference finds the
    answer while it grades."""
    return text if mode == "parity" else extract_answer(text, opened)


def _format(sample: Sample) -> float:
    # The reference sees the response alone, and not what the prompt had written of it.
    return parity.parity_format(sample.text) if sample.mode == "parity" else format_reward(sample.text, sample.opened)


def _accuracy(sample: Sample) -> Value:
    if isinstance(sample.grade, Missing):
        return sample.grade
    return None if sample.reference is None else float(bool(sample.grade))


def _perception(sample: Sample) -> Value:
    if not sample.facts:
        return None
    if sample.mode == "default":
        return perception_share(sample.facts, sample.outcomes, sample.rule)
    # The reference knows no distractors: only what the judge said of present facts is its list.
    pairs = zip(sample.facts, sample.outcomes, strict=True)
    return parity.parity_from_outcomes([outcome for fact, outcome in pairs if fact.polarity == "present"])


def _repetition(sample: Sample) -> float:
    return parity.parity_repetition(sample.text) if sample.mode == "parity" else repetition_penalty(sample.text)


BUILT_IN = (
    Component("format", "Whether the response has the form that the prompt asks for.", (0.0, 1.0), _format),
    Component("accuracy", "Whether the answer is right.", (0.0, 1.0), _accuracy, needs="grade"),
    Component("perception", "The share of the facts that the response states.", (-1.0, 1.0), _perception, "verdicts"),
    Component("repetition", "The penalty for repeated passages.", (MAXIMUM, 0.0), _repetition),
)


@cache
def registered() -> Mapping[str, Component]:
    """All components by name, the built-in ones first.

    Raises `ComponentError` for an entry point that cannot be loaded, is no `Component`, or takes another's name.
    """
    found = {component.name: component for component in BUILT_IN}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        where = f"the component {entry.name!r} of {entry.dist.name if entry.dist else 'an installed package'}"
        try:
            component = entry.load()
        except Exception as error:
            raise ComponentError(f"{where} cannot be loaded from {entry.value!r}: {error}") from error
        if not isinstance(component, Component):
            raise ComponentError(f"{where} is no Component: {entry.value!r} is {type(component).__name__}")
        if component.name in found:
            raise ComponentError(f"{where} is called {component.name!r}, and there is one of this name already")
        found[component.name] = component
    return MappingProxyType(found)

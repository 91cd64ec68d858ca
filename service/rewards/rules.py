"""The two ways to compute components: ours, and the public reference's with its quirks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perception_reward.service.judges.base import Missing, Outcome
from perception_reward.service.profiles.model import Mode
from perception_reward.service.rewards import parity
from perception_reward.service.rewards.answer import extract_answer
from perception_reward.service.rewards.format import format_reward
from perception_reward.service.rewards.perception import PerceptionRule, perception_share
from perception_reward.service.rewards.repetition import repetition_penalty
from perception_reward.trainer_client.tokens import Opened
from perception_reward.trainer_client.wire import Fact


@dataclass(frozen=True, slots=True)
class Rules:
    """How each component comes about. Format and answer are told what the prompt had already written of the response.

    answer: what would be graded, from a response; None where it holds no answer that could be right, which is
    accuracy 0 without any grading.
    """

    format: Callable[[str, Opened], float]
    repetition: Callable[[str], float]
    answer: Callable[[str, Opened], str | None]
    perception: Callable[[Sequence[Fact], Sequence[Outcome], PerceptionRule], float | Missing | None]


def _parity_format(response: str, _: Opened) -> float:
    """The reference sees the response alone, and not what the prompt had written of it."""
    return parity.parity_format(response)


def _whole_response(response: str, _: Opened) -> str:
    """The reference finds the answer while it grades."""
    return response


def _parity_perception(
    facts: Sequence[Fact], outcomes: Sequence[Outcome], rule: PerceptionRule
) -> float | Missing | None:
    """The reference knows no distractors: only what the judge said of present facts is its list."""
    present = [outcome for fact, outcome in zip(facts, outcomes, strict=True) if fact.polarity == "present"]
    return parity.parity_from_outcomes(present)


RULES: dict[Mode, Rules] = {
    "default": Rules(format_reward, repetition_penalty, extract_answer, perception_share),
    "parity": Rules(_parity_format, parity.parity_repetition, _whole_response, _parity_perception),
}

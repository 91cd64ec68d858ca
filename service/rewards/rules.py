"""The two ways to compute components: ours, and the public reference's with its quirks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perception_reward.service.judges.base import Missing, Outcome
from perception_reward.service.profiles.model import Mode
from perception_reward.service.rewards import parity
from perception_reward.service.rewards.answer import extract_answer
from perception_reward.service.rewards.format import format_reward
from perception_reward.service.rewards.grading import Question
from perception_reward.service.rewards.perception import PerceptionRule, perception_share
from perception_reward.service.rewards.repetition import repetition_penalty
from perception_reward.trainer_client.wire import Fact


@dataclass(frozen=True, slots=True)
class Rules:
    """How each component comes about.

    question: what has to be graded, from (response, reference, choices); None where the response holds no answer
    that could be right, which is accuracy 0 without any grading.
    """

    format: Callable[[str], float]
    repetition: Callable[[str], float]
    question: Callable[[str, str, tuple[str, ...] | None], Question | None]
    perception: Callable[[Sequence[Fact], Sequence[Outcome], PerceptionRule], float | Missing | None]


def _question(response: str, reference: str, choices: tuple[str, ...] | None) -> Question | None:
    answer = extract_answer(response)
    return Question(answer, reference, choices) if answer is not None else None


def _parity_question(response: str, reference: str, choices: tuple[str, ...] | None) -> Question:
    return Question(response, reference, None, mode="parity")


def _parity_perception(
    facts: Sequence[Fact], outcomes: Sequence[Outcome], rule: PerceptionRule
) -> float | Missing | None:
    """The reference knows no distractors: only what the judge said of present facts is its list."""
    present = [outcome for fact, outcome in zip(facts, outcomes, strict=True) if fact.polarity == "present"]
    return parity.parity_from_outcomes(present)


RULES: dict[Mode, Rules] = {
    "default": Rules(format_reward, repetition_penalty, _question, perception_share),
    "parity": Rules(parity.parity_format, parity.parity_repetition, _parity_question, _parity_perception),
}

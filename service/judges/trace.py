"""What explains a verdict to people, made from the verdict when somebody asks.

    trace_of(Verdict("stated", 0.97, (4, 10), stage="rules"), "AB = 5", None)
    # Trace(stage="rules", sentences=["AB = 5"], reason="The rules read the fact in these words.")

No model is asked again for it: what one was shown is selected anew, by rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from perception_reward.service.judges.base import Judge, JudgeTask, Verdict
from perception_reward.trainer_client.wire import Trace

_BY_RULES = {
    ("stated", False): "The rules read the fact in these words.",
    ("contradicted", False): "The rules read in these words what excludes the fact.",
    ("contradicted", True): "The response says the fact and also what excludes it.",
    ("absent", False): "The rules find no words that say the fact or exclude it.",
    ("absent", True): "The response only hedges, supposes, asks or quotes the fact, or offers it as one of several.",
}
_NO_EVIDENCE = "Nothing in the response bears on the fact, so no model was asked."


@runtime_checkable
class Shows(Protocol):
    """A judge that can say what a model of its reads."""

    async def shown(self, task: JudgeTask, deadline: float) -> Sequence[str | None]:
        """For each fact what the model reads of the response; None where that is all of it, or is not known."""
        ...


async def shown_by(judge: Judge, task: JudgeTask, deadline: float) -> Sequence[str | None]:
    """What `judge` shows a model for each fact of `task`, in order."""
    return await judge.shown(task, deadline) if isinstance(judge, Shows) else [None] * len(task.facts)


def trace_of(verdict: Verdict, words: str | None, shown: str | None) -> Trace:
    """words: those at the verdict's span. shown: what a model read for the fact, None where it read everything."""
    if verdict.stage == "rules":
        reason, sentences = _BY_RULES[verdict.label, verdict.settled and verdict.label != "stated"], words
    elif verdict.stage == "evidence":
        reason, sentences = _NO_EVIDENCE, words
    else:
        reason, sentences = _by_model(verdict, shown), shown
    if verdict.truncated:
        reason += " Only a part of the response was read."
    lines = [line.strip() for line in (sentences or "").splitlines()]
    return Trace(stage=verdict.stage, sentences=[line for line in lines if line], reason=reason)


def _by_model(verdict: Verdict, shown: str | None) -> str:
    read = "the whole response" if shown is None else "these sentences"
    said = [f"{verdict.probability:.2f} for stated"]
    if verdict.contradiction is not None:
        said.append(f"{verdict.contradiction:.2f} for contradicted")
    together = "" if verdict.stage == "model" else ", taken together with what the rules made of it,"
    doubted = verdict.label != "stated" and verdict.probability > verdict.certainty
    unsure = ", too little to name it stated" if doubted else ""
    return f"What the model said of {read}{together} comes to {' and '.join(said)}{unsure}."

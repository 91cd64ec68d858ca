"""What a judge is: for one response and its facts it says, fact by fact, stated, contradicted or absent.

A judge never raises for an answer that it could not get. It returns `Missing` with the reason instead, so that
one response's bad luck stays its own. What it raises is a programming error.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from perception_reward.trainer_client.wire import Fact, Label, Reason, Stage


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one fact and one response.

    probability: that of `stated`, in [0, 1].
    span: character range [start, end) of the response that carries the fact or contradicts it, or None.
    certainty: how sure the judge is of `label`, in [0, 1]; a cascade asks the next judge where this is low.
    contradiction: the probability of `contradicted`, in [0, 1 - probability], or None where the judge has none.
    truncated: the judge saw only a part of the response, which exceeds its own limit.
    settled: the response says the fact and also what excludes it, or says it only as hedged, supposed, asked, quoted or
        one of several: whatever the certainty, no reading makes it stated.
    stage: what decided: the `rules` of a judge that reads; `evidence`, where nothing in the response bears on the fact
        and so no model was asked; a `model`; or both rules and model, `pooled`.

    All of it is kept by the cache. What explains a verdict to people is made from it when somebody asks (`trace`).
    """

    label: Label
    probability: float
    span: tuple[int, int] | None = None
    certainty: float = 1.0
    contradiction: float | None = None
    truncated: bool = False
    settled: bool = False
    stage: Stage = "model"


@dataclass(frozen=True, slots=True)
class Missing:
    """A verdict that could not be determined, and why. Never cached, never the number 0."""

    reason: Reason


Outcome: TypeAlias = Verdict | Missing


def shifted(outcome: Outcome, by: int) -> Outcome:
    """What was decided about a part of a response that begins at the character `by`, with the response's own span."""
    if isinstance(outcome, Missing) or outcome.span is None:
        return outcome
    start, end = outcome.span
    return replace(outcome, span=(start + by, end + by))


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """One response, already joined and cut to the length limit, and the facts to decide about.

    anew: decided once more, whatever a judge remembers of its earlier verdicts: for those who measure it.
    """

    response: str
    facts: tuple[Fact, ...]
    group: str | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class JudgeInfo:
    """What identifies a judge. The fingerprint changes with everything that can change a verdict."""

    name: str
    model: str | None
    method: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the judge can answer now, and a sentence for people when it cannot."""

    ok: bool
    detail: str = ""


class Judge(Protocol):
    """A source of verdicts."""

    @property
    def info(self) -> JudgeInfo: ...

    @property
    def together(self) -> bool:
        """Whether a verdict may depend on all facts of its task, which are asked about together.

        The cache keys of such a judge hold the whole list, so that a verdict never depends on which of its neighbours
        happened to be cached.
        """
        ...

    def judge(self, tasks: Sequence[JudgeTask], deadline: float) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        """Yield (index of the task, one outcome per fact in order) as each task is ready, in any order.

        deadline: event-loop time (`loop.time()`) by which every task has been yielded; what is not ready then
        is yielded as `Missing("judge_timeout")`. Closing the iterator early cancels the work that is left.
        """
        ...

    async def health(self) -> Health: ...

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...

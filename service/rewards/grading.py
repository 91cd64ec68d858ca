"""Grading many answers: the trivial ones at once, repeats once, the rest in worker processes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Literal

from perception_reward.service.pace import Pace
from perception_reward.service.processes.outcomes import Crashed, TimedOut, Unavailable
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.service.rewards.accuracy import GRADER_VERSION, Choice, grade, quick_grade, trivial_grade
from perception_reward.service.rewards.parity import parity_accuracy

OWN_PRELOAD = ("perception_reward.service.rewards.warm",)
PRELOAD = (*OWN_PRELOAD, "perception_reward.service.rewards.warm_parity")
"""What a pool of grading workers should have imported: `WorkerPool(n, preload=PRELOAD)`; the first where no profile
grades as the public code does."""

DIGEST_BYTES = 16

MOST_AT_ONCE = 400
"""Characters of a question with its choices. Shorter ones, and most have some 50, the event loop grades itself."""


@dataclass(frozen=True, slots=True)
class Question:
    """Is `answer` right?

    references: alternatives, any of which is right. choices: (label, text) of each option of a multiple-choice
    problem. tolerance: how far a number may be off, relative to the reference. mode: `parity` grades a whole response
    as the public reference does.
    """

    answer: str
    references: tuple[str, ...]
    choices: tuple[Choice, ...] | None = None
    tolerance: float = 0.0
    mode: Literal["default", "parity"] = "default"

    def digest(self) -> bytes:
        """16 bytes that change with the question and with the grading rules: a cache key."""
        parts = (GRADER_VERSION, self.mode, repr(self.tolerance), self.answer, str(len(self.references)))
        encoded = [
            part.encode("utf-8", "surrogatepass")
            for part in (*parts, *self.references, *chain.from_iterable(self.choices or ()))
        ]
        content = b"".join([len(data).to_bytes(8, "big") + data for data in encoded])
        return blake2b(content, digest_size=DIGEST_BYTES).digest()


class AccuracyGrader:
    """Grades answers. A grade that was not found in time is `TimedOut`; that includes what crashed its worker.

    `Unavailable` where no worker lived to find it.
    """

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool

    async def grade_many(
        self, questions: Sequence[Question], deadline: float
    ) -> AsyncGenerator[tuple[int, bool | TimedOut | Unavailable]]:
        """Yields (index, grade) for every question, the cheap ones first. deadline: on the running loop's clock."""
        waiting: dict[Question, list[int]] = {}
        pace = Pace()
        for index, question in enumerate(questions):
            await pace.keep()
            if question in waiting:
                waiting[question].append(index)
                continue
            found = _at_once(question)
            if found is None:
                waiting[question] = [index]
            else:
                yield index, found
        distinct = list(waiting)
        if not distinct:
            return
        async with aclosing(self._pool.map(grade_question, distinct, deadline=deadline)) as grades:
            async for position, found in grades:
                for index in waiting[distinct[position]]:
                    yield index, TimedOut() if isinstance(found, Crashed) else found


def _at_once(question: Question) -> bool | None:
    if question.mode == "parity":
        return None
    trivial = trivial_grade(question.answer, question.references)
    parts = (question.answer, *question.references, *chain.from_iterable(question.choices or ()))
    if trivial is not None or sum(map(len, parts)) > MOST_AT_ONCE:
        return trivial
    return quick_grade(question.answer, question.references, question.choices, question.tolerance)


def grade_question(question: Question) -> bool:
    """What a worker does."""
    if question.mode == "parity":
        return any(parity_accuracy(question.answer, reference) == 1.0 for reference in question.references)
    return grade(question.answer, question.references, question.choices, question.tolerance)

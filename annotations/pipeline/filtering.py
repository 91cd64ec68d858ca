"""The second step: trajectories whose answer is right stay. What grades them is handed in; grades are kept in a
journal.

    async for group in filtered(path, grader, journal, agreement=0.5):
        group.kept, group.dropped

With an agreement, a problem's trajectories stay only where at least that share of its graded answers is right: a lucky
guess among wrong answers says little of what was seen. A problem without a reference takes the answer that most
trajectories give for one, where that share of them gives it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from perception_reward.annotations.pipeline.journal import KEY_DIGITS, Journal
from perception_reward.annotations.pipeline.rows import Trajectory, grouped
from perception_reward.trainer_client.reference import Answer, Choices

T = TypeVar("T")

WRONG = "its answer is wrong"
NO_ANSWER = "it gives no answer"
UNGRADED = "its answer could not be graded"
NO_REFERENCE = "its problem has no reference answer"
NO_AGREEMENT = "too few answers to its problem are right"
NO_MAJORITY = "too few answers to its problem agree"
# Problems that are graded together.
BATCH = 64


@dataclass(frozen=True, slots=True)
class Attempt:
    """Is the answer of `response` right by `answer`?"""

    response: str
    answer: Answer
    choices: Choices | None


class Grader(Protocol):
    """The accuracy reward. version: changes with what can change a grade."""

    version: str

    def answer_of(self, response: str) -> str | None:
        """The one answer that a response gives."""
        ...

    async def grade(self, attempts: Sequence[Attempt]) -> list[bool | None]:
        """Whether each is right; None where that could not be found out."""
        ...


@dataclass(slots=True)
class Filtered:
    """One problem's trajectories. dropped: each with the reason."""

    kept: list[Trajectory] = field(default_factory=list[Trajectory])
    dropped: list[tuple[Trajectory, str]] = field(default_factory=list["tuple[Trajectory, str]"])


@dataclass(slots=True)
class Yield:
    """How many trajectories stay, by source and model."""

    read: Counter[str] = field(default_factory=Counter[str])
    kept: Counter[str] = field(default_factory=Counter[str])
    problems: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])

    def add(self, group: Filtered) -> None:
        self.read.update(source_of(one) for one in (*group.kept, *(one for one, _ in group.dropped)))
        self.kept.update(source_of(one) for one in group.kept)
        self.problems.update({source_of(one) for one in group.kept})
        self.reasons.update(why for _, why in group.dropped)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        total, kept = self.read.total(), self.kept.total()
        yield f"{kept} of {total} trajectories kept{f' ({kept / total:.1%})' if total else ''}"
        for source, count in self.read.most_common():
            share = self.kept[source] / count
            yield f"  {source}: {self.kept[source]} of {count} ({share:.1%}), of {self.problems[source]} problems"
        yield from (f"{count} dropped: {why}" for why, count in self.reasons.most_common())


def source_of(trajectory: Trajectory) -> str:
    """The data set, and the model that wrote the trajectory."""
    named = (trajectory.source or trajectory.provenance.source, trajectory.provenance.model)
    return ", ".join(filter(None, named)) or "unnamed"


async def filtered(
    path: Path, grader: Grader, journal: Journal, *, agreement: float | None = None
) -> AsyncGenerator[Filtered]:
    """The trajectories in `path`, problem by problem. Raises as `grouped`."""
    for batch in _batches(grouped(path, Trajectory, lambda one: one.id), BATCH):
        wanted = [attempt for group in batch for attempt in _attempts(group, grader, agreement)]
        grades = await _graded(wanted, grader, journal)
        for group in batch:
            yield _judged(group, grader, grades, agreement)


def _attempts(group: Sequence[Trajectory], grader: Grader, agreement: float | None) -> Iterator[Attempt]:
    """What has to be graded; where there is no reference, each answer by every other."""
    references = _references(group, grader, agreement)
    for one in group:
        for reference in references:
            yield Attempt(one.response, reference, one.choices)


def _references(group: Sequence[Trajectory], grader: Grader, agreement: float | None) -> list[Answer]:
    if (answer := group[0].answer) is not None:
        return [answer]
    if agreement is None:
        return []
    return list(dict.fromkeys(found for one in group if (found := grader.answer_of(one.response)) is not None))


def _judged(
    group: Sequence[Trajectory], grader: Grader, grades: dict[str, bool | None], agreement: float | None
) -> Filtered:
    references = _references(group, grader, agreement)
    if not references:
        why = NO_REFERENCE if agreement is None else NO_ANSWER
        return Filtered([], [(one, why) for one in group])

    def grade(one: Trajectory, reference: Answer) -> bool | None:
        return grades[_key(grader, Attempt(one.response, reference, one.choices))]

    # Of references that as many answers agree with, the first one counts.
    best = max(([grade(one, reference) for one in group] for reference in references), key=lambda one: one.count(True))
    graded = sum(one is not None for one in best)
    short = agreement is not None and best.count(True) < agreement * graded
    found = Filtered()
    for one, grade_of in zip(group, best, strict=True):
        if grade_of is None:
            found.dropped.append((one, UNGRADED))
        elif not grade_of:
            found.dropped.append((one, WRONG if grader.answer_of(one.response) is not None else NO_ANSWER))
        elif short:
            found.dropped.append((one, NO_AGREEMENT if group[0].answer is not None else NO_MAJORITY))
        else:
            found.kept.append(one)
    return found


async def _graded(attempts: Iterable[Attempt], grader: Grader, journal: Journal) -> dict[str, bool | None]:
    found: dict[str, bool | None] = {}
    unknown: dict[str, Attempt] = {}
    for attempt in attempts:
        key = _key(grader, attempt)
        if (known := journal.get(key)) is not None:
            found[key] = known["right"]
        else:
            unknown[key] = attempt
    if unknown:
        for key, right in zip(unknown, await grader.grade(list(unknown.values())), strict=True):
            found[key] = right
            # What could not be found out may be next time.
            if right is not None:
                journal.put(key, {"right": right})
    return found


def _key(grader: Grader, attempt: Attempt) -> str:
    parts = (grader.version, attempt.response, repr(attempt.answer), repr(attempt.choices))
    content = "\x00".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=KEY_DIGITS // 2).hexdigest()


def _batches(groups: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(groups, size)):
        yield batch

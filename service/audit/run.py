"""Asking a judge all probes: bounded batches, past the cache, each with its deadline."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice

from perception_reward.service.audit.probes import Probe
from perception_reward.service.excerpt import WHOLE, Excerpt, excerpt
from perception_reward.service.judges.base import Judge, JudgeTask, Missing, Outcome, Verdict, shifted
from perception_reward.trainer_client.wire import Fact

# Questions in one call of the judge, and calls under way at once: enough to keep an engine full while one call drains.
BATCH = 64
CALLS = 2
# Seconds for one call.
DEADLINE = 600.0


@dataclass(frozen=True, slots=True)
class Observation:
    """What the judge said to a probe."""

    probe: Probe
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Question:
    """One task and the probes that it answers, each with the place of its fact."""

    task: JudgeTask
    answers: tuple[tuple[int, int], ...]


async def observe(
    judge: Judge,
    probes: Sequence[Probe],
    *,
    deadline_per_batch: float = DEADLINE,
    batch: int = BATCH,
    max_response_chars: int | None = None,
    scope: str = WHOLE,
    progress: Callable[[int], object] = lambda _: None,
) -> list[Observation]:
    """One observation per probe, in order. What the judge could not tell is `Missing`, and stays it.

    The judge is asked itself, without the scorer's cache, and what it remembers of its own verdicts does not count
    where the question is whether a verdict changes. Probes with the same response and the same facts share one
    question, but for repeats, which are asked once more after all others.
    max_response_chars, scope: the service's cut, and the part of a response that it shows a judge (`excerpt`); a
    response without that part states nothing. progress: called with the number of probes just answered.
    """
    parts = [excerpt(probe.response, scope) for probe in probes]
    outcomes: list[Outcome] = [Missing("judge_timeout") if part else Verdict("absent", 0.0) for part in parts]
    questions = _questions(probes, parts, max_response_chars)
    progress(parts.count(None))

    async def ask() -> None:
        while asked := list(islice(questions, batch)):
            until = asyncio.get_running_loop().time() + deadline_per_batch
            async with aclosing(judge.judge([question.task for question in asked], until)) as answered:
                async for index, found in answered:
                    for at, place in asked[index].answers:
                        outcomes[at] = shifted(found[place], part.start if (part := parts[at]) else 0)
                    progress(len(asked[index].answers))

    async with asyncio.TaskGroup() as calls:
        for _ in range(CALLS):
            calls.create_task(ask())
    return [Observation(*pair) for pair in zip(probes, outcomes, strict=True)]


def _questions(probes: Sequence[Probe], parts: Sequence[Excerpt | None], most: int | None) -> Iterator[_Question]:
    """Repeats come last; probes with one response follow one another, for judges that keep what they have read."""
    together: dict[tuple[str, tuple[Fact, ...], bool], list[int]] = defaultdict(list)
    for at, (probe, part) in enumerate(zip(probes, parts, strict=True)):
        if part is not None:
            together[part.text, probe.task, probe.purpose == "repeat"].append(at)
    for (response, facts, _), places in sorted(together.items(), key=lambda item: (item[0][2], item[1][0])):
        place_of = {fact: place for place, fact in reversed(list(enumerate(facts)))}
        answers = tuple((at, place_of[probes[at].fact]) for at in places)
        # A verdict out of the judge's memory would be the same for that reason alone.
        anew = any(probes[at].purpose in ("flip", "repeat") for at in places)
        yield _Question(JudgeTask(response[:most], facts, anew=anew), answers)

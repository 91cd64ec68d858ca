"""A probe: one question to a judge whose right answer is known, or whose answer may not change.

| purpose | families | what counts |
|---|---|---|
| labelled | `human`, `doubtful` | the verdict against a person's label |
| generated | `plain`, `paraphrase`, `notation`, `symmetric`, `sentence order`, `long`, `omission`, `contradiction`, \
`exchange`, `wrong element` | the verdict against the label that holds by construction; with `base`, the flip too |
| attack | those of the catalogue | success: the judge says `stated` of what the response does not state |
| flip | `batch`, `order`, `defence: …`, `disguise: …`, `policy: …` | the change against `base`; `expected` if given |
| repeat | `repeat` | the change against `base`: the same question once more |

Of the flips, `batch` asks the fact among its annotation's facts and `order` among the same facts permuted. `defence: …`
is a true statement together with what a defence reacts to, so a lost `stated` is that defence's false refusal;
`disguise: …` is a true statement in characters that look the same. `policy: …` has no right answer but a rule, which
the README tells.

`observe` asks a judge all probes: in bounded batches, past the cache, each with its deadline.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from perception_reward.service.excerpt import WHOLE, Excerpt, excerpt
from perception_reward.service.judges.base import Judge, JudgeTask, Missing, Outcome, Verdict, shifted
from perception_reward.trainer_client.wire import Fact, Label

Purpose = Literal["labelled", "generated", "attack", "flip", "repeat"]


@dataclass(frozen=True, slots=True)
class Probe:
    """One fact and one response.

    id: derived from the content, so that the same probe has the same id in every run.
    expected: the right verdict; None where only the change against `base` counts.
    base: id of the probe of which this is a variant.
    problem: the annotation's id (or a labelled row's problem), the unit of resampling for intervals.
    asked: the facts asked together with this one, it among them, in order; empty: it is asked alone.
    """

    id: str
    purpose: Purpose
    family: str
    fact: Fact
    response: str
    expected: Label | None
    base: str | None = None
    problem: str | None = None
    asked: tuple[Fact, ...] = ()

    @property
    def task(self) -> tuple[Fact, ...]:
        """The facts to ask about, in order."""
        return self.asked or (self.fact,)


def probe(
    purpose: Purpose,
    family: str,
    fact: Fact,
    response: str,
    expected: Label | None,
    *,
    base: Probe | None = None,
    problem: str | None = None,
    asked: tuple[Fact, ...] = (),
) -> Probe:
    """A probe with the id that its content gives it."""
    parts = (purpose, family, fact.text, response, problem or "", base.id if base else "", *(one.text for one in asked))
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Probe(digest, purpose, family, fact, response, expected, base.id if base else None, problem, asked)


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

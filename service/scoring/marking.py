"""Which facts the question alone gives, by a judge: it is asked of copies of the question as if they were responses.

After it a copy of the question earns nothing under the same judge, since no fact that the judge finds in it counts as
seen. A fact is given where

- the question states it or contradicts it: whoever works with the question's AB = 15 has not misread the image's 15.4,
- a copy with its options or with its numbers filled in states it,
- it is a distractor of ours whose own fact is given.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from perception_reward.annotations.copies import copies_of
from perception_reward.annotations.distractors import base_id
from perception_reward.annotations.model import Annotation
from perception_reward.service.judges.base import Judge, JudgeTask, Missing, Outcome, Verdict
from perception_reward.trainer_client.wire import Fact, Reason

# Seconds that a judge has for one call.
SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Marked:
    """An annotation with its given facts marked.

    given: the facts marked now; denied: those of them that the question contradicts.
    missing: facts that keep their origin because a verdict is missing, by id, with the reason.
    """

    annotation: Annotation
    given: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    missing: Mapping[str, Reason] = field(default_factory=dict[str, Reason])


async def mark_given(
    judge: Judge, annotations: Sequence[Annotation], *, max_response_chars: int, seconds: float = SECONDS
) -> AsyncGenerator[tuple[int, Marked]]:
    """Yield (index, the annotation marked) as each is ready, from one call of the judge for all of them.

    max_response_chars: what a judge is shown of a response. What is not ready after `seconds` is missing.
    """
    tasks: list[JudgeTask] = []
    owners: list[int] = []
    for index, annotation in enumerate(annotations):
        facts = _asked(annotation, judge)
        texts = _texts(annotation) if facts else ()
        tasks += [JudgeTask(text[:max_response_chars], facts) for text in texts]
        owners += [index] * len(texts)
        if not texts:
            yield index, Marked(annotation)
    found: dict[int, dict[int, Sequence[Outcome]]] = defaultdict(dict)
    texts_of = Counter(owners)
    async with aclosing(judge.judge(tasks, asyncio.get_running_loop().time() + seconds)) as answers:
        async for at, outcomes in answers:
            of_one = found[owners[at]]
            of_one[at] = outcomes
            if len(of_one) == texts_of[owners[at]]:
                by_text = [outcomes for _, outcomes in sorted(of_one.items())]
                yield owners[at], _marked(annotations[owners[at]], tasks[at].facts, by_text)


def _asked(annotation: Annotation, judge: Judge) -> tuple[Fact, ...]:
    """What may become given; a judge that decides facts together is asked all, as it will be when it scores."""
    open_facts = tuple(fact for fact in annotation.facts if fact.origin != "given")
    return tuple(annotation.facts) if open_facts and judge.together else open_facts


def _texts(annotation: Annotation) -> tuple[str, ...]:
    """The question, then its other copies."""
    copies = copies_of(annotation)
    return tuple(dict.fromkeys((copies.question, *copies.beside_the_question))) if copies else ()


def _marked(annotation: Annotation, asked: Sequence[Fact], by_text: Sequence[Sequence[Outcome]]) -> Marked:
    """by_text: the outcomes of `asked`, in order, for each text; the first text is the question alone."""
    known = {fact.id for fact in annotation.facts if fact.origin == "given"}
    new: set[str] = set()
    denied: set[str] = set()
    missing: dict[str, Reason] = {}
    for place, fact in enumerate(asked):
        outcomes = [of_text[place] for of_text in by_text]
        verdicts = [outcome.label if isinstance(outcome, Verdict) else None for outcome in outcomes]
        if fact.id in known:
            continue
        reasons: list[Reason] = [outcome.reason for outcome in outcomes if isinstance(outcome, Missing)]
        if "stated" in verdicts or verdicts[0] == "contradicted":
            new.add(fact.id)
            denied.update([fact.id] if verdicts[0] == "contradicted" else [])
        elif reasons:
            missing[fact.id] = reasons[0]
    given = known | new
    new |= {fact.id for fact in annotation.facts if base_id(fact) in given and fact.id not in known}
    facts = [fact.model_copy(update={"origin": "given"}) if fact.id in new else fact for fact in annotation.facts]
    for name in new & missing.keys():
        del missing[name]
    marked = annotation.model_copy(update={"facts": facts}) if new else annotation
    return Marked(marked, frozenset(new), frozenset(denied), missing)

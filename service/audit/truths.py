"""Probes of responses that state the fact: in several wordings, notations, names and places.

And probes whose answer may not change: the same question among others, in another order, and once more.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from perception_reward.service.audit.alternatives import number_words
from perception_reward.service.audit.probes import Probe, probe
from perception_reward.service.audit.statements import Statement
from perception_reward.service.audit.subjects import Subject
from perception_reward.service.audit.wordings import (
    LONG,
    Page,
    any_wording,
    filler,
    one_of,
    reversed_names,
    says,
    sentence,
)
from perception_reward.trainer_client.wire import Fact


def truths(subject: Subject, rng: random.Random) -> Iterator[Probe]:
    """The fact stated plainly, and variants of that same response: `base` is the plain one."""
    layout = subject.page(rng)
    bystanders = [sentence(any_wording(statement, rng)) for statement in subject.draw_bystanders(rng)]
    place = rng.randint(0, len(bystanders))
    wordings = says(subject.statement, "words")
    spoken = one_of(wordings, rng)

    def told(clause: str) -> list[str]:
        return [*bystanders[:place], sentence(clause), *bystanders[place:]]

    plain = probe("generated", "plain", subject.fact, layout.write(told(spoken)), "stated", problem=subject.problem)
    yield plain
    variants = _variants(subject.statement, spoken, wordings, rng)
    responses = [(family, layout.write(told(clause))) for family, clause in variants]
    for family, response in responses + list(_rearranged(layout, told(spoken), rng)):
        if response != plain.response:
            yield probe("generated", family, subject.fact, response, "stated", base=plain, problem=subject.problem)


def _variants(statement: Statement, spoken: str, wordings: list[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    """(family, clause): the same content said differently."""
    if others := [wording for wording in wordings if wording != spoken]:
        yield "paraphrase", one_of(others, rng)
    if symbols := says(statement, "unicode") + says(statement, "latex"):
        yield "notation", one_of(symbols, rng)
    if turned := reversed_names(statement):
        yield "symmetric", says(turned, "words")[wordings.index(spoken)]
    if statement.kind == "other" and (clause := number_words(statement.clause)):
        yield "notation", says(replace(statement, names=((clause,),)), "words")[wordings.index(spoken)]


def _rearranged(layout: Page, sentences: list[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    """(family, response): the same sentences elsewhere."""
    if len(sentences) > 1:
        yield "sentence order", layout.write(sentences[1:] + sentences[:1])
    lengths = rng.randint(0, LONG), rng.randint(0, LONG)
    yield "long", layout.write(sentences, padding=(filler(rng, lengths[0]), filler(rng, lengths[1])))


# Facts asked together: what a problem commonly has, and little enough for a judge that answers them in one text.
MOST_TOGETHER = 8


def together(subject: Subject, alone: Probe, rng: random.Random) -> Iterator[Probe]:
    """The probe's fact among its problem's facts, and among the same permuted; none where it is the only one."""
    facts = _company(subject, rng)
    if len(facts) < 2:
        return
    permuted = rng.sample(facts, len(facts))
    if permuted == facts:
        permuted.reverse()
    in_order = _asked("batch", alone, tuple(facts), alone)
    yield in_order
    yield _asked("order", alone, tuple(permuted), in_order)


def _company(subject: Subject, rng: random.Random) -> list[Fact]:
    facts = list(dict.fromkeys(subject.annotation.facts))
    others = [fact for fact in facts if fact != subject.fact]
    chosen = [subject.fact, *rng.sample(others, min(len(others), MOST_TOGETHER - 1))]
    return [fact for fact in facts if fact in chosen]


def _asked(family: str, alone: Probe, facts: tuple[Fact, ...], base: Probe) -> Probe:
    return probe("flip", family, alone.fact, alone.response, None, base=base, problem=alone.problem, asked=facts)


def repeats(probes: Sequence[Probe]) -> Iterator[Probe]:
    """Each probe once more."""
    for first in probes:
        once_more = probe(
            "repeat", "repeat", first.fact, first.response, first.expected, base=first, problem=first.problem
        )
        yield replace(once_more, asked=first.asked)

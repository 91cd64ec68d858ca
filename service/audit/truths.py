"""Probes of responses that state the fact: in several wordings, notations, names and places."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from perception_reward.service.audit.alternatives import number_words
from perception_reward.service.audit.probes import Probe, probe
from perception_reward.service.audit.statements import Statement
from perception_reward.service.audit.subjects import Subject
from perception_reward.service.audit.wordings import any_wording, one_of, reversed_names, says, sentence
from perception_reward.service.audit.writing import LONG, Page, filler


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

"""Probes of responses that do not state the fact: silent about it, wrong about it, or about another element."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from perception_reward.service.audit.alternatives import altered, other_values
from perception_reward.service.audit.probes import Probe, probe
from perception_reward.service.audit.statements import VALUED, Statement, distinct, independent
from perception_reward.service.audit.subjects import Subject
from perception_reward.service.audit.wordings import any_wording, denials, one_of, sentence
from perception_reward.trainer_client.wire import Label

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def falsehoods(subject: Subject, rng: random.Random) -> Iterator[Probe]:
    """Omission, contradiction, exchange and the right value on the wrong element, as far as the fact has them."""
    yield _probe(subject, rng, "omission", [], "absent", least=1)
    if wrong := contradiction(subject, rng):
        yield _probe(subject, rng, "contradiction", [wrong], "contradicted")
    if exchanged := exchange(subject, rng):
        clauses = [any_wording(statement, rng) for statement in exchanged]
        yield _probe(subject, rng, "exchange", clauses, "contradicted", beside=exchanged[1])
    if elsewhere := misplaced(subject, rng):
        yield _probe(subject, rng, "wrong element", [any_wording(elsewhere, rng)], "absent", beside=elsewhere)


def _probe(
    subject: Subject,
    rng: random.Random,
    family: str,
    clauses: Sequence[str],
    label: Label,
    *,
    least: int = 0,
    beside: Statement | None = None,
) -> Probe:
    """The clauses among bystanders, none of which speaks of what `beside` speaks of."""
    drawn = subject.draw_bystanders(rng, least)
    bystanders = [statement for statement in drawn if beside is None or independent(beside, statement)]
    sentences = [sentence(clause) for clause in (*clauses, *(any_wording(each, rng) for each in bystanders))]
    rng.shuffle(sentences)
    response = subject.page(rng).write(sentences)
    return probe("generated", family, subject.fact, response, label, problem=subject.problem)


def contradiction(subject: Subject, rng: random.Random) -> str | None:
    """A clause that excludes the fact: another value or, of a relation, its denial."""
    statement = subject.statement
    if statement.kind in VALUED:
        values = other_values(statement, rng)
        return any_wording(replace(statement, value=values[0]), rng) if values else None
    if statement.kind == "other" and (clause := altered(statement.clause, rng)):
        return any_wording(replace(statement, names=((clause,),)), rng)
    return one_of(denials(statement), rng)


def exchange(subject: Subject, rng: random.Random) -> tuple[Statement, Statement] | None:
    """The fact's element and another of its kind, each with the other's number; None where no number differs."""
    one = subject.statement
    if one.number is None:
        return None
    others = [
        other
        for other in subject.neighbours
        if other.kind == one.kind and distinct(one, other) and other.number is not None and other.number != one.number
    ]
    if not others:
        return None
    other = rng.choice(others)
    return replace(one, value=other.value), replace(other, value=one.value)


def misplaced(subject: Subject, rng: random.Random) -> Statement | None:
    """The fact's value on another element of its kind: one of the problem's or, where there is none, a made-up one.

    Of an element that is not the fact's, whatever its points are called: angles differ in their vertex.
    """
    statement = subject.statement
    if statement.kind not in VALUED:
        return None
    names = [
        other.names
        for other in subject.neighbours
        if other.kind == statement.kind and distinct(statement, other) and other.value != statement.value
    ]
    return replace(statement, names=rng.choice(names) if names else _made_up(subject, rng))


def _made_up(subject: Subject, rng: random.Random) -> tuple[tuple[str, ...], ...]:
    used = subject.statement.points.union(*(other.points for other in subject.neighbours))
    free = [letter for letter in _LETTERS if letter not in used] or [*_LETTERS]
    return (tuple(rng.sample(free, len(subject.statement.names[0]))),)

"""Probes whose answer may not change: the same question among others, in another order, and once more."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from perception_reward.service.audit.probes import Probe, probe
from perception_reward.service.audit.subjects import Subject
from perception_reward.trainer_client.wire import Fact

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

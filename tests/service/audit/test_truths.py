from __future__ import annotations

import random

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.probes import Probe
from perception_reward.service.audit.subjects import Subject, subjects_of
from perception_reward.service.audit.truths import truths
from perception_reward.trainer_client.wire import Fact

LENGTH = Fact(id="f1", text="Segment AB has length 5.", kind="length")
OTHER = Fact(id="f2", text="Segment AC has length 7.", kind="length")
DOGS = Fact(id="f3", text="There are two dogs.", kind="count")


def subject_of(*facts: Fact) -> Subject:
    return next(iter(subjects_of([Annotation(id="p", answer="12", facts=list(facts))])))


def made(subject: Subject, seed: int) -> dict[str, Probe]:
    return {probe.family: probe for probe in truths(subject, random.Random(seed))}


@pytest.mark.parametrize("seed", range(10))
def test_every_variant_states_the_fact_and_leads_back_to_the_plain_response(seed: int):
    probes = made(subject_of(LENGTH, OTHER), seed)
    assert {"plain", "paraphrase", "notation", "symmetric", "long"} <= set(probes)
    plain = probes.pop("plain")
    for probe in (plain, *probes.values()):
        assert (probe.purpose, probe.expected, probe.problem) == ("generated", "stated", "p")
        assert "5" in probe.response
        assert "AB" in probe.response or "BA" in probe.response
    assert {probe.base for probe in probes.values()} == {plain.id}


@pytest.mark.parametrize("seed", range(10))
def test_only_the_statement_differs_from_the_plain_response(seed: int):
    probes = made(subject_of(LENGTH), seed)
    plain, other = probes["plain"].response.split(), probes["symmetric"].response.split()
    assert len(plain) == len(other)
    changed = [(a.strip(".").lower(), b.strip(".").lower()) for a, b in zip(plain, other, strict=True) if a != b]
    assert changed == [("ab", "ba")]


def test_sentences_change_places_where_there_are_several():
    alone = made(subject_of(LENGTH), 1)
    assert "sentence order" not in alone
    some = [made(subject_of(LENGTH, OTHER), seed) for seed in range(20)]
    turned = [probes for probes in some if "sentence order" in probes]
    assert turned
    for probes in turned:
        assert sorted(probes["sentence order"].response) == sorted(probes["plain"].response)


def test_a_count_is_written_in_digits_too():
    assert "2 dogs" in made(subject_of(DOGS), 1)["notation"].response


def test_the_same_seed_makes_the_same_probes():
    subject = subject_of(LENGTH, OTHER)
    assert list(truths(subject, random.Random(3))) == list(truths(subject, random.Random(3)))

from __future__ import annotations

import random

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.probes import Probe, probe
from perception_reward.service.audit.subjects import Subject, subjects_of
from perception_reward.service.audit.truths import MOST_TOGETHER, repeats, together, truths
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
    for one in (plain, *probes.values()):
        assert (one.purpose, one.expected, one.problem) == ("generated", "stated", "p")
        assert "5" in one.response
        assert "AB" in one.response or "BA" in one.response
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


def subject_with(facts: int) -> Subject:
    made = [Fact(id=f"f{value}", text=f"Segment AB has length {value}.") for value in range(1, facts + 1)]
    return next(iter(subjects_of([Annotation(id="p", facts=made)])))


def test_a_fact_is_asked_among_the_others_in_two_orders():
    subject = subject_with(4)
    alone = probe("generated", "plain", subject.fact, "AB = 1", "stated", problem="p")
    batch, order = together(subject, alone, random.Random(1))
    assert batch.asked == tuple(subject.annotation.facts)
    assert set(order.asked) == set(batch.asked)
    assert order.asked != batch.asked
    assert (batch.base, order.base) == (alone.id, batch.id)
    assert (batch.expected, order.expected) == (None, None)


def test_two_facts_change_places():
    subject = subject_with(2)
    alone = probe("generated", "plain", subject.fact, "", "absent", problem="p")
    for seed in range(10):
        batch, order = together(subject, alone, random.Random(seed))
        assert order.asked == batch.asked[::-1]


def test_a_fact_without_company_has_no_flips():
    subject = subject_with(1)
    alone = probe("generated", "plain", subject.fact, "", "absent", problem="p")
    assert list(together(subject, alone, random.Random(1))) == []


def test_only_so_many_are_asked_together_and_the_fact_is_one_of_them():
    subject = subject_with(MOST_TOGETHER + 20)
    alone = probe("generated", "plain", subject.fact, "", "absent", problem="p")
    for flip in together(subject, alone, random.Random(1)):
        assert len(flip.asked) == MOST_TOGETHER
        assert subject.fact in flip.asked


def test_a_repeat_asks_the_same_once_more():
    first = probe("generated", "plain", subject_with(1).fact, "AB = 1", "stated", problem="p")
    (again,) = repeats([first])
    assert (again.purpose, again.base, again.response, again.fact) == ("repeat", first.id, first.response, first.fact)
    assert again.id != first.id

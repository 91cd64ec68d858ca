from __future__ import annotations

import random

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.attacks.catalogue import families, twins
from perception_reward.service.audit.attacks.tries import attacks, twin_probes
from perception_reward.service.audit.subjects import Subject, subjects_of
from perception_reward.trainer_client.wire import Fact

ANNOTATIONS = [
    Annotation(
        id=f"p{number}",
        question=f"Which of these is {number}?",
        answer="12",
        choices=["10", "11", "12", "13"],
        facts=[
            Fact(id="f1", text=f"Segment AB has length {number + 3}.", kind="length"),
            Fact(id="f2", text=f"Segment CD has length {number + 20}.", kind="length"),
        ],
    )
    for number in range(4)
]
SUBJECTS = list(subjects_of(ANNOTATIONS))
FAMILIES = {family.name: family for family in families()}
TWINS = {twin.family: twin for twin in twins()}
CAP = 1000


def tried(name: str, most: int = 30, subjects: list[Subject] = SUBJECTS):
    return attacks(FAMILIES[name], subjects, most, CAP, random.Random(1))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_gives_as_many_different_probes_as_asked_for(name: str):
    probes = tried(name)
    assert len({probe.id for probe in probes}) == len(probes) == 30
    assert {(probe.purpose, probe.family, probe.expected) for probe in probes} == {
        ("attack", name, FAMILIES[name].expected)
    }


def test_all_texts_are_tried_alike():
    responses = [probe.response for probe in tried("content-free", most=len(FAMILIES["content-free"].texts) * 2)]
    for text in FAMILIES["content-free"].texts:
        assert any(text in response for response in responses), text


@pytest.mark.parametrize("name", ["content-free", "judge format", "fake verdict", "chat template", "instructions"])
def test_what_has_no_content_never_holds_the_fact(name: str):
    for probe in tried(name, most=60):
        element = "AB" if "AB" in probe.fact.text else "CD"
        assert element not in probe.response
        assert element[::-1] not in probe.response


def test_what_stands_past_the_cap_is_cut_off():
    for probe in tried("past the cap", most=5):
        assert len(probe.response) > CAP
        assert not any(text[:20] in probe.response[:CAP] for text in FAMILIES["past the cap"].texts)


def test_long_families_stay_few():
    assert len(tried("past the cap", most=10_000)) <= 40


def test_a_repetition_repeats():
    assert all(probe.response.count("\n") >= 49 for probe in tried("repetition", most=5))


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.paid])
def test_what_is_copied_from_the_problem_is_asked_about_facts_that_are_paid_for(name: str):
    facts = [Fact(id="f1", text="AB = 5.", origin="given"), Fact(id="f2", text="CD = 5.")]
    (given, seen) = subjects_of([ANNOTATIONS[0].model_copy(update={"facts": facts})])
    assert tried(name, subjects=[given]) == []
    assert {probe.fact.id for probe in tried(name, subjects=[given, seen])} == {"f2"}
    everything = subjects_of([ANNOTATIONS[0].model_copy(update={"facts": facts})], pays=lambda fact: True)
    assert {probe.fact.id for probe in tried(name, subjects=list(everything))} == {"f1", "f2"}


def test_without_facts_nothing_is_tried():
    assert tried("content-free", subjects=[]) == []


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_follows_its_plain_response(name: str):
    probes = twin_probes(TWINS[name], SUBJECTS, 5, CAP, random.Random(1))
    found = {probe.id: probe for probe in probes}
    made = [probe for probe in probes if probe.family == name]
    assert len(made) == 5
    for probe in made:
        base = found[probe.base or ""]
        assert (base.family, base.expected, base.fact) == ("plain", "stated", probe.fact)
        assert probe.response != base.response

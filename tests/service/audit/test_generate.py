from __future__ import annotations

from collections import Counter
from importlib.resources import as_file, files

import pytest

from perception_reward.annotations.jsonl import read_annotations
from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.generate import all_families, generate
from perception_reward.service.audit.probes import Probe
from perception_reward.service.excerpt import excerpt
from perception_reward.service.judges.symbolic.judge import decide_all

CAP = 2000


@pytest.fixture(scope="module")
def annotations() -> list[Annotation]:
    with as_file(files("perception_reward.service.demo") / "annotations.jsonl") as path:
        return list(read_annotations(path).values())


@pytest.fixture(scope="module")
def made(annotations: list[Annotation]) -> list[Probe]:
    return generate(annotations, most=6, seed=1, cap=CAP)


def test_every_family_has_as_many_probes_as_asked_for(made: list[Probe]):
    counts = Counter(probe.family for probe in made)
    assert set(counts) == set(all_families())
    # A plain response is the base of variants and twins, so there are more of those.
    assert {family for family, count in counts.items() if count != 6} == {"plain"}


def test_ids_are_unique_and_every_base_is_there(made: list[Probe]):
    identities = {probe.id for probe in made}
    assert len(identities) == len(made)
    assert {probe.base for probe in made if probe.base} <= identities


def test_attacks_never_state_their_fact_and_twins_do(made: list[Probe]):
    attacks = [probe for probe in made if probe.purpose == "attack"]
    assert {probe.expected for probe in attacks} == {"absent", "contradicted"}
    twins = [probe for probe in made if probe.family.startswith(("defence: ", "disguise: "))]
    assert {probe.expected for probe in twins} == {"stated"}
    assert {probe.expected for probe in made if probe.family.startswith("policy: ")} == {None}


def test_the_same_seed_makes_the_same_probes_whatever_the_order(annotations: list[Annotation], made: list[Probe]):
    assert generate(annotations[::-1], most=6, seed=1, cap=CAP) == made
    assert generate(annotations, most=6, seed=2, cap=CAP) != made


def test_families_named_come_alone_with_their_bases(annotations: list[Annotation], made: list[Probe]):
    chosen = generate(annotations, most=6, seed=1, cap=CAP, only=["content-free", "paraphrase"])
    assert Counter(probe.family for probe in chosen) == {"content-free": 6, "paraphrase": 6, "plain": 6}
    assert set(chosen) <= set(made)


def test_an_unknown_family_is_told_with_the_known_ones(annotations: list[Annotation]):
    with pytest.raises(ValueError, match=r"no family is called 'x'; there are plain, paraphrase"):
        generate(annotations, most=6, seed=1, cap=CAP, only=["x"])


@pytest.mark.parametrize("scope", ["think", "description"])
def test_with_a_scope_all_is_said_inside_it_but_for_what_belongs_outside(annotations: list[Annotation], scope: str):
    probes = generate(annotations, most=6, seed=1, cap=CAP, scope=scope)
    outside = {"outside the scope", "policy: after the answer", "policy: in the answer"}
    assert {probe.family for probe in probes} == set(all_families(scope)) >= outside
    for probe in probes:
        part = excerpt(probe.response, scope)
        assert part is not None, probe
        stated = [verdict.label == "stated" for verdict in decide_all(part.text, (probe.fact,))]
        if probe.family in outside:
            assert stated == [False], probe
            assert len(probe.response) > len(part.text) + 60
        if probe.family == "plain":
            assert stated == [verdict.label == "stated" for verdict in decide_all(probe.response, (probe.fact,))]


def test_nothing_is_outside_the_whole_response(made: list[Probe]):
    assert "outside the scope" not in {probe.family for probe in made}


def test_without_facts_there_is_nothing_to_ask():
    assert generate([Annotation(id="p")], most=6, seed=1, cap=CAP) == []

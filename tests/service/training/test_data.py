"""What judges are taught on, without any model."""

from __future__ import annotations

from importlib.resources import as_file, files

import pytest

from perception_reward.annotations.jsonl import read_annotations
from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.attacks.catalogue import families
from perception_reward.service.audit.generate import GENERATED
from perception_reward.service.audit.probes import probe
from perception_reward.service.audit.quality import unit_of
from perception_reward.service.training.data import Data, collect, counted, lessons, made, starting
from perception_reward.trainer_client.wire import Fact


@pytest.fixture(scope="module")
def annotations() -> list[Annotation]:
    with as_file(files("perception_reward.service.demo") / "annotations.jsonl") as path:
        return list(read_annotations(path).values())


def collected(annotations: list[Annotation], **changed: object) -> Data:
    asked = {"most": 5, "held_out": 0.3, "seed": 0, "cap": 4000, "most_held_out": 2} | changed
    return collect(annotations, [], **asked)  # type: ignore[arg-type]


def test_every_family_is_taught_and_each_has_one_right_verdict(annotations: list[Annotation]):
    count = counted(made(annotations, most=5, seed=0, cap=4000))
    assert {family for family, _ in count} == {*GENERATED, *(lesson.name for lesson in lessons())}
    assert len({family for family, _ in count}) == len(count)
    assert all(1 <= number <= 5 for number in count.values()), count


def test_statements_are_what_their_family_says(annotations: list[Annotation]):
    fact = Fact(id="f", text="Segment AB has length 5.")
    other = Fact(id="g", text="Segment CD has length 8.")
    found = list(made([Annotation(id="p", facts=[fact, other])], most=4, seed=0, cap=4000))
    about = [one for one in found if one.fact == fact]
    table = next(one for one in about if one.family == "table")
    near = next(one for one in about if one.family == "table, near value")
    assert "segment AB" in table.response
    assert " 5" in table.response.split("segment AB")[1]
    assert "segment AB" in near.response
    assert " 5" not in near.response.split("segment AB")[1].partition("\n")[0]
    assert all("5" not in one.response.partition("</think>")[0] for one in about if one.family == "truncated")


def test_nothing_that_is_held_out_is_taught(annotations: list[Annotation]):
    data = collected(annotations)
    problems = [{unit_of(one) for one in part} for part in (data.taught, data.held_out)]
    assert problems[0]
    assert problems[1]
    assert not problems[0] & problems[1]
    assert {one.family for one in data.held_out} >= {"paraphrase", "content-free", "fake verdict", "all values"}


def test_the_same_seed_makes_the_same_data_in_the_same_order_whatever_the_files_order(annotations: list[Annotation]):
    assert collected(annotations) == collected(annotations[::-1])
    assert collected(annotations) != collected(annotations, seed=1)


def test_labelled_pairs_are_taught_and_doubtful_ones_are_not():
    fact = Fact(id="f", text="The bar is red.")
    pairs = [
        probe("labelled", family, fact, f"It is red ({number}).", "stated", problem=f"p{number}")
        for number in range(20)
        for family in ("human", "doubtful")
    ]
    data = collect([], pairs, most=1, held_out=0.5, seed=0, cap=4000)
    taught, measured = ([one for one in part if one.fact == fact] for part in (data.taught, data.held_out))
    assert len(taught) + len(measured) == 20
    assert taught
    assert measured
    assert {one.family for one in (*taught, *measured)} == {"human"}


def test_what_the_catalogue_of_attacks_measures_is_not_taught():
    measured = {text for family in families() for text in family.texts}
    taught = {text for lesson in lessons() for text in lesson.texts}
    # A list of values is a list of values.
    assert taught & measured <= {"{listing}"}


def test_the_starting_pairs_are_of_every_domain_with_all_verdicts():
    pairs, stated = starting()
    domains = {one.family for one in pairs}
    assert len(domains) >= 12
    for domain in domains:
        assert {one.expected for one in pairs if one.family == domain} == {"stated", "contradicted", "absent"}, domain
    assert {unit_of(one) for one in pairs} == {one.id for one in stated}

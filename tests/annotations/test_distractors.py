"""False neighbours contradict what is stored, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from perception_reward.annotations.distractors import surely_differ, with_distractors
from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.language.quantities import read_quantity
from perception_reward.annotations.model import Annotation
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact


def annotation(*texts: str, name: str = "p") -> Annotation:
    facts = [Fact(id=f"f{number}", text=text, weight=2.0) for number, text in enumerate(texts, start=1)]
    return Annotation(id=name, facts=facts)


def distractors(*texts: str, most: int = 50, seed: int = 0) -> set[str]:
    found = with_distractors(annotation(*texts), most=most, seed=seed)
    return {fact.text for fact in found.facts if fact.polarity == "distractor"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            ["Segment AB has length 5.", "Segment CD has length 9."],
            {"Segment AB has length 9.", "Segment CD has length 5."},
        ),
        (["Angle ABC measures 50 degrees.", "Angle DEF measures 70 degrees."], {"Angle ABC measures 70 degrees."}),
        (["AB is parallel to CD."], {"AB is perpendicular to CD."}),
        (["AB is perpendicular to CD."], {"AB is parallel to CD."}),
        (
            ["AB is perpendicular to BC.", "Segment AC has length 5."],
            {"AB is perpendicular to AC.", "BC is perpendicular to AC."},
        ),
        (
            ["Point D lies on line AB.", "Angle BAC measures 50 degrees."],
            {"Point D lies on line AC."},
        ),
        (
            ["Segments AB and CD have equal length.", "Segment AB has length 5.", "Segment EF has length 9."],
            {"Segments AB and EF have equal length.", "Segments CD and EF have equal length."},
        ),
        (
            ["Angle ABC is labelled 1.", "Angle DEF is labelled 2."],
            {"Angle ABC is labelled 2.", "Angle DEF is labelled 1."},
        ),
        (["Segment AB has length 2x + 3.", "Segment CD has length 2x + 9."], {"Segment AB has length 2x + 9."}),
    ],
)
def test_likely_mistakes_are_among_the_distractors(texts: list[str], expected: set[str]):
    found = {text.replace("CA.", "AC.").replace("DC", "CD") for text in distractors(*texts)}
    assert expected <= found


@pytest.mark.parametrize(
    "texts",
    [
        ["Segment AB has length x."],
        ["AB is perpendicular to CD.", "Point E lies on line AB.", "Point E lies on line CD."],
        ["Point D lies on line AB."],
        ["Point A lies on circle O."],
        ["Segments AB and CD have equal length.", "Segment AB has length 5x."],
        ["There are three dogs.", "The car is red."],
    ],
)
def test_where_nothing_is_surely_false_there_is_none(texts: list[str]):
    assert distractors(*texts) == set()


def test_a_number_is_never_set_against_an_expression_that_may_equal_it():
    assert not any("11" in text for text in distractors("Segment AB has length 2x + 3.", "Segment CD has length 11x."))


def test_the_value_of_an_equal_element_is_true_and_so_no_distractor():
    found = distractors("Segments AB and CD have equal length.", "Segment AB has length 5.", "Segment CD has length 5.")
    assert "Segment AB has length 5." not in found
    assert not any(text.startswith("Segments") for text in found)


@pytest.mark.parametrize(
    ("one", "other", "kind", "expected"),
    [
        ("5", "7", "length", True),
        ("5", "5.1", "length", False),
        ("100", "260", "arc", False),
        ("100", "250", "arc", True),
        ("x + 1", "x + 3", "length", True),
        ("x + 1", "2x", "length", False),
        ("x", "y + 300", "length", False),
        ("x", "5", "length", False),
        (r"7\sqrt{2}", r"3\sqrt{2}", "length", True),
    ],
)
def test_only_what_no_value_of_the_letters_makes_equal_surely_differs(one: str, other: str, kind: str, expected: bool):
    assert surely_differ(read_quantity(one), read_quantity(other), kind) is expected


def test_a_distractor_has_its_facts_weight_and_an_id_of_its_own():
    facts = [*annotation("Segment AB has length 5.").facts, Fact(id="f1-d1", text="Something else.")]
    found = with_distractors(Annotation(id="p", facts=facts))
    new = found.facts[2:]
    assert [fact.id for fact in new] == ["f1-d2", "f1-d3"]
    assert {(fact.weight, fact.kind, fact.polarity) for fact in new} == {(2.0, "length", "distractor")}


def test_a_seed_gives_an_annotation_the_same_distractors_and_each_its_own():
    texts = [f"Segment A{other} has length {number}." for other, number in zip("BCDEFG", range(5, 60, 9), strict=False)]
    assert with_distractors(annotation(*texts)) == with_distractors(annotation(*texts))
    assert with_distractors(annotation(*texts)).facts != with_distractors(annotation(*texts, name="q")).facts
    assert distractors(*texts, most=4) != distractors(*texts, most=4, seed=1)


def test_adding_twice_adds_nothing_more():
    once = with_distractors(annotation("Segment AB has length 5.", "Segment CD has length 9."))
    assert with_distractors(once) == once


def test_no_distractor_is_stated_by_the_true_facts_of_real_problems(shared_data: Path):
    imported = import_problems(shared_data / "geometry3k" / "annotations.jsonl", limit=150).annotations
    drawn = 0
    for found in map(with_distractors, imported):
        true = " ".join(fact.text for fact in found.facts if fact.polarity == "present")
        false = [fact for fact in found.facts if fact.polarity == "distractor"]
        labels = {fact.text: verdict.label for fact, verdict in zip(false, decide_all(true, false), strict=True)}
        assert "stated" not in labels.values(), (found.id, labels)
        drawn += len(false)
    assert drawn > len(imported)

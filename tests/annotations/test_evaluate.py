from __future__ import annotations

from pathlib import Path

import pytest

from perception_reward.annotations.evaluate import compare, lines, total
from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.model import Annotation
from perception_reward.trainer_client.wire import Fact


def note(annotation_id: str, *texts: str, kind: str = "made") -> Annotation:
    return Annotation(id=annotation_id, facts=[Fact(id=f"f{n}", text=text, kind=kind) for n, text in enumerate(texts)])


@pytest.mark.parametrize(
    ("store", "gold", "same"),
    [
        ("Segment AB has length 5.", "Segment BA has length 5.0.", True),
        ("Segment AB has length 5.", "Segment AB has length 6.", False),
        ("AB is perpendicular to BC.", "CB is perpendicular to AB.", True),
        ("AB = 5", "Segment AB has length 5.", True),
        ("The measure of angle ABC is 70°.", "Angle CBA measures 70 degrees.", True),
        ("AB is about 5", "Segment AB has length 5.", False),
        ("The cat is black.", "the cat  is black", True),
        ("The cat is black.", "The cat is not black.", False),
        ("The change is 5.", "The change is -5.", False),
    ],
)
def test_facts_are_matched_by_what_they_state(store: str, gold: str, same: bool):
    comparison = compare([note("p", store)], [note("p", gold)])
    counts = comparison.counts()["made"]
    assert (counts.precision, counts.recall) == ((1.0, 1.0) if same else (0.0, 0.0))


def test_lines_and_angles_are_matched_by_any_of_their_points():
    gold = note("p", "Point B lies on line AC.", "Point C lies on line AD.", "Angle EAC measures 40 degrees.")
    store = note("p", "Point B lies on line AD.", "Angle EAD measures 40 degrees.", "Point E lies on line AB.")
    (problem,) = compare([store], [gold]).problems
    assert [fact.text for fact in problem.wrong] == ["Point E lies on line AB."]


def test_counts_are_by_kind_without_repeats_distractors_and_problems_of_one_side():
    store = [note("p", "A.", "a", "B.", kind="x"), note("alone", "C.")]
    distractor = Fact(id="d", text="C.", kind="x", polarity="distractor")
    one = note("p", "A.", "Z.", kind="y")
    gold = [one.model_copy(update={"facts": [*one.facts, distractor]}), note("other", "C.")]
    comparison = compare(store, gold)
    kinds = comparison.counts()
    assert (comparison.only_store, comparison.only_gold) == (["alone"], ["other"])
    assert {kind: (one.facts, one.right, one.gold, one.found) for kind, one in kinds.items()} == {
        "x": (2, 1, 0, 0),
        "y": (0, 0, 2, 1),
    }
    assert (total(kinds).precision, total(kinds).recall) == (0.5, 0.5)
    assert any(line.split() == ["y", "0", "2", "–", "0.500"] for line in lines(kinds))


def test_what_a_judge_finds_counts_as_matched():
    comparison = compare([note("p", "A cat is there.")], [note("p", "There is a cat.")])
    (problem,) = comparison.problems
    counts = comparison.counts(problem.wrong, problem.missed)["made"]
    assert (counts.precision, counts.recall) == (1.0, 1.0)


def test_a_real_parser_against_people(shared_data: Path):
    folder = shared_data / "geometry3k"
    read, gold = (
        import_problems(folder / f"{name}.jsonl").annotations for name in ("parser_predictions", "annotations")
    )
    comparison = compare(read, gold)
    kinds = comparison.counts()
    assert len(comparison.problems) == 601
    assert 0.4 < (kinds["length"].precision or 0) < 0.6
    assert total(compare(gold, gold).counts()).precision == 1.0


def test_problems_that_name_their_points_otherwise_are_found():
    gold = note("p", "Segment PQ has length 5.", "PQ is perpendicular to QR.")
    renamed = note("p", "Segment AB has length 5.", "AB is perpendicular to BC.")
    elsewhere = note("p", "Segment PQ has length 5.", "Angle PQS measures 40 degrees.")
    words = note("p", "The cat is black.")
    found = [bool(compare([one], [gold]).named_otherwise) for one in (renamed, gold, elsewhere, words)]
    assert found == [True, False, False, False]
    (problem,) = compare([renamed], [gold]).named_otherwise
    assert (sorted(problem.points), sorted(problem.gold_points)) == (["A", "B", "C"], ["P", "Q", "R"])

"""What a judge finds in a question alone is given: afterwards a copy of the question earns nothing from that judge."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.copies import copies_of
from perception_reward.annotations.distractors import with_distractors
from perception_reward.annotations.english import sentence
from perception_reward.annotations.geometry3k import import_problems
from perception_reward.annotations.jsonl import parse_lines
from perception_reward.annotations.language.quantities import read_quantity
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.statements import Figure, Statement
from perception_reward.service.judges.base import Missing, Outcome, Verdict
from perception_reward.service.judges.symbolic.judge import SymbolicJudge, decide_all
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.rewards.perception import perception_share
from perception_reward.service.scoring.marking import Marked, mark_given
from perception_reward.trainer_client.wire import Fact, Origin

RECIPE = ("length", "angle", "arc", "perpendicular", "parallel", "equal_length", "equal_angle", "area")
# Questions that give facts in words, in symbols, by other points, with changed numbers and by what they imply.
ROWS = [
    {
        "id": "words",
        "question": "Segment AB has length 5 and AC is perpendicular to BC. Find the length of AC.",
        "answer": "4",
        "logic_forms": [
            "Equals(LengthOf(Line(A, B)), 5)",
            "Equals(LengthOf(Line(B, C)), 3)",
            "Perpendicular(Line(A, C), Line(B, C))",
        ],
    },
    {
        "id": "symbols",
        "question": "As shown in the diagram, AB=4*y-10, ∠ABD=50°, AB⊥CD. Find the value of y.",
        "answer": "7",
        "logic_forms": [
            "Equals(LengthOf(Line(A, B)), 4y-10)",
            "Equals(LengthOf(Line(C, D)), y)",
            "Equals(MeasureOf(Angle(A, B, D)), 50)",
            "Equals(MeasureOf(Angle(A, C, D)), MeasureOf(angle 1))",
            "Perpendicular(Line(A, B), Line(C, D))",
        ],
    },
    {
        "id": "other-points",
        "question": "∠ABQ = 50°, BC = 12 and AC = 15. Find AB.",
        "answer": "9",
        "logic_forms": [
            "PointLiesOnLine(Q, Line(B, C))",
            "Equals(MeasureOf(Angle(A, B, C)), 50)",
            "Equals(LengthOf(Line(B, C)), 12.4)",
            "Equals(LengthOf(Line(A, Q)), 7)",
        ],
    },
    {
        "id": "implied",
        "question": "ABCD is a rectangle, P is the midpoint of AB, and AB = 8. Find the area of ABCD.",
        "answer": "40",
        "logic_forms": [
            "Perpendicular(Line(A, B), Line(B, C))",
            "PointLiesOnLine(P, Line(A, B))",
            "Equals(LengthOf(Line(A, B)), 8)",
            "Equals(LengthOf(Line(B, C)), 5)",
        ],
    },
]
QUESTION = "AB=4y-10, BC=y and AC ⊥ BC. Find y."
STATED, ABSENT, CONTRADICTED = Verdict("stated", 0.9), Verdict("absent", 0.1), Verdict("contradicted", 0.1)


def annotation(*facts: str | Fact, question: str | None = QUESTION, **known: Any) -> Annotation:
    listed = [
        fact if isinstance(fact, Fact) else Fact(id=f"f{number}", text=fact) for number, fact in enumerate(facts, 1)
    ]
    return Annotation.model_validate({"id": "a", "question": question, "facts": listed, **known})


async def mark(judge: Any, *annotations: Annotation, cap: int = 65536) -> list[Marked]:
    found = {index: one async for index, one in mark_given(judge, annotations, max_response_chars=cap)}
    return [found[index] for index in range(len(annotations))]


async def origins(*facts: str | Fact, judge: Any = None, **known: Any) -> list[Origin]:
    (marked,) = await mark(judge or SymbolicJudge(), annotation(*facts, **known))
    return [fact.origin for fact in marked.annotation.facts]


async def test_what_the_question_states_is_given_and_the_rest_keeps_its_origin() -> None:
    derived = Fact(id="d", text="Segment AC has length 7.", origin="derived")
    facts = ("Segment AB has length 4y - 10.", "AC is perpendicular to BC.", "Segment CD has length 3.", derived)
    assert await origins(*facts) == ["given", "given", "seen", "derived"]


async def test_what_the_question_contradicts_is_given_too_and_told_apart() -> None:
    one = annotation("Segment AB has length 15.4.", "Segment BC has length 3.", question="AB=15. Find BC.")
    (marked,) = await mark(SymbolicJudge(), one)
    assert [fact.origin for fact in marked.annotation.facts] == ["given", "seen"]
    assert (marked.given, marked.denied) == ({"f1"}, {"f1"})


async def test_what_it_states_with_its_numbers_filled_in_is_given() -> None:
    facts = ("Segment AB has length 18.", "Segment BC has length 7.", "Segment CD has length 7.")
    assert await origins(*facts, answer="7") == ["given", "given", "seen"]
    assert await origins(*facts, question="AC ⊥ BC. Find the length of AB.") == ["seen", "seen", "seen"]
    assert await origins(*facts, question="AC ⊥ BC. Find the length of AB.", answer=18) == ["given", "seen", "seen"]


async def test_what_an_option_states_is_given_but_not_what_one_option_contradicts() -> None:
    question = "Which statement about the street is true?"
    facts = ("The awning is red.", "There are two dogs.", "Segment AB has length 5.")
    choices = ["The awning is red", "There are two dogs"]
    assert await origins(*facts, question=question, choices=choices) == ["given", "given", "seen"]
    lengths = ["AB = 5", "AB = 6"]
    assert await origins("Segment AB has length 5.", question="How long is AB?", choices=lengths) == ["seen"]


async def test_a_distractor_of_a_given_fact_is_given_with_it() -> None:
    facts = [
        Fact(id="f1", text="Segment AB has length 5.", kind="length"),
        Fact(id="f2", text="Segment CD has length 8."),
    ]
    told = with_distractors(annotation(*facts, question="AB=5. Find CD."))
    assert {fact.id for fact in told.facts if fact.polarity == "distractor"} == {"f1-d1", "f1-d2", "f2-d1", "f2-d2"}
    (marked,) = await mark(SymbolicJudge(), told)
    origin = {fact.id: fact.origin for fact in marked.annotation.facts}
    assert origin == dict.fromkeys(("f1", "f1-d1", "f1-d2"), "given") | dict.fromkeys(("f2", "f2-d1", "f2-d2"), "seen")


async def test_a_distractor_that_the_question_states_is_given() -> None:
    false = Fact(id="x", text="Segment AB has length 6.", polarity="distractor")
    assert await origins(false, "Segment CD has length 1.", question="AB=6. Find CD.") == ["given", "seen"]


async def test_without_a_question_nothing_is_asked(scripted_judge: Callable[..., Any]) -> None:
    judge = scripted_judge()
    one = annotation("AB = 5.", question=None)
    assert await mark(judge, one) == [Marked(one)]
    assert [task for batch in judge.batches for task in batch] == []


async def test_only_what_may_become_given_is_asked_of_a_judge_that_decides_each_fact_by_itself(
    scripted_judge: Callable[..., Any],
) -> None:
    facts = [Fact(id="f1", text="AB = 5.", origin="given"), Fact(id="f2", text="CD = 5.")]
    judge = scripted_judge(lambda task: [ABSENT for _ in task.facts])
    await mark(judge, annotation(*facts))
    assert {tuple(fact.id for fact in task.facts) for batch in judge.batches for task in batch} == {("f2",)}
    judge = scripted_judge(lambda task: [ABSENT for _ in task.facts], together=True)
    await mark(judge, annotation(*facts))
    assert {tuple(fact.id for fact in task.facts) for batch in judge.batches for task in batch} == {("f1", "f2")}


async def test_the_judge_is_shown_no_more_than_it_will_be_of_a_response(scripted_judge: Callable[..., Any]) -> None:
    judge = scripted_judge()
    await mark(judge, annotation("AB = 5.", question="x" * 100), cap=30)
    assert {task.response for batch in judge.batches for task in batch} == {"x" * 30}


async def test_a_fact_without_a_verdict_stays_as_it_is_and_is_told_with_the_reason(
    scripted_judge: Callable[..., Any],
) -> None:
    def decide(task: Any) -> Sequence[Outcome]:
        filled = "So the answer" in task.response
        return [Missing("judge_timeout"), STATED if filled else Missing("judge_unavailable"), ABSENT]

    (marked,) = await mark(scripted_judge(decide), annotation("AB = 5.", "BC = 5.", "CD = 5.", answer=5))
    assert [fact.origin for fact in marked.annotation.facts] == ["seen", "given", "seen"]
    assert marked.missing == {"f1": "judge_timeout"}


async def test_many_are_marked_in_one_call_and_each_comes_with_its_own_index(
    scripted_judge: Callable[..., Any],
) -> None:
    judge = scripted_judge(lambda task: [STATED if "yes" in task.response else ABSENT for _ in task.facts])
    many = [annotation("AB = 5.", question="yes" if number % 2 else "no") for number in range(9)]
    marked = await mark(judge, *many)
    assert [one.annotation.facts[0].origin for one in marked] == ["given" if n % 2 else "seen" for n in range(9)]
    assert len(judge.batches) == 1


# --- by construction ---------------------------------------------------------------------------------------------


def earned(annotation: Annotation, response: str) -> set[float | Missing | None]:
    """What a response earns under the profiles that pay for seen facts alone."""
    outcomes = decide_all(response, annotation.facts)
    profiles = [load_profiles()[name] for name in ("perception-r1", "sum", "warmup", "gated")]
    return {perception_share(annotation.facts, outcomes, profile.perception) for profile in profiles}


def copy_earns_nothing(annotation: Annotation) -> None:
    (marked,) = asyncio.run(mark(SymbolicJudge(), annotation))
    copies = copies_of(annotation)
    assert copies is not None
    assert earned(marked.annotation, copies.question) <= {0.0, None}
    for copy in copies.beside_the_question:
        assert all(share is None or share <= 0 for share in earned(marked.annotation, copy))


def imported(rows: Path, kinds: Sequence[str] | None) -> list[Annotation]:
    return [one for one in import_problems(rows, kinds=kinds).annotations if one.question and one.facts]


def mean_of_copies(annotations: Sequence[Annotation]) -> float:
    """The mean perception of each question as its own response, under the default profile; null counts 0."""
    rule = load_profiles()["perception-r1"].perception
    shares = [perception_share(one.facts, decide_all(one.question or "", one.facts), rule) for one in annotations]
    assert not any(isinstance(share, Missing) for share in shares)
    return sum(share for share in shares if isinstance(share, float)) / len(shares)


@pytest.mark.parametrize("kinds", [RECIPE, None])
def test_questions_of_real_problems_earn_next_to_nothing(shared_data: Path, tmp_path: Path, kinds: Any) -> None:
    rows = (shared_data / "geometry3k" / "annotations.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    sample = tmp_path / "sample.jsonl"
    sample.write_text("".join(random.Random(8).sample(rows, 400)), encoding="utf-8")
    annotations = imported(sample, kinds)
    assert len(annotations) > 300
    assert mean_of_copies(annotations) <= 0.02
    marked = asyncio.run(mark(SymbolicJudge(), *annotations))
    assert mean_of_copies([one.annotation for one in marked]) == 0.0


def test_questions_of_made_up_problems_earn_nothing_once_they_are_imported(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    annotations = imported(rows, None)
    assert len(annotations) == len(ROWS)
    assert all({fact.origin for fact in one.facts} >= {"seen", "given"} for one in annotations)
    for one in annotations:
        copies = copies_of(one)
        assert copies is not None
        for copy in (copies.question, *copies.beside_the_question):
            assert earned(one, copy) == {0.0}


def test_a_question_and_a_guess_earn_nothing_and_cost_nothing(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    for one in imported(rows, None):
        for guess in ("1", "5", "x", "AB = 99"):
            response = f"<think>\n{one.question}\n</think>\n<answer>\n\\boxed{{{guess}}}\n</answer>"
            assert earned(one, response) == {0.0}


POINTS = st.sampled_from("ABCDE")
NAMES = st.lists(POINTS, min_size=2, max_size=2, unique=True)
VALUES = st.sampled_from(["5", "7", "15.4", "x", "4y - 10", "3\\sqrt{2}"])
LENGTHS = st.builds(
    lambda points, value: Statement("length", (Figure("segment", tuple(points)),), read_quantity(value)),
    NAMES,
    VALUES,
)
RELATIONS = st.builds(
    lambda kind, one, other: Statement(kind, (Figure("segment", tuple(one)), Figure("segment", tuple(other)))),
    st.sampled_from(["perpendicular", "parallel", "equal_length"]),
    NAMES,
    NAMES,
)
SENTENCES = (LENGTHS | RELATIONS).map(sentence)
CLAUSES = st.one_of(
    st.builds(lambda points, value: f"{''.join(points)}={value}", NAMES, VALUES),
    st.builds(lambda one, sign, other: "".join(one) + sign + "".join(other), NAMES, st.sampled_from("⊥∥="), NAMES),
    st.sampled_from(["ABCD is a rectangle", "C is the midpoint of AB", "y=7", "AB is the diameter of circle C"]),
    SENTENCES,
)


@given(
    st.lists(CLAUSES, min_size=1, max_size=5),
    st.lists(SENTENCES, min_size=1, max_size=6, unique=True),
    st.sampled_from([None, "5", "7", "A", "x + 1"]),
    st.sampled_from([None, ["5", "7"], ["AB = 5", "AC ⊥ BC"]]),
)
def test_a_copy_of_the_question_earns_nothing_afterwards(
    clauses: list[str], facts: list[str], answer: str | None, choices: list[str] | None
) -> None:
    question = ", ".join(clauses) + ". Find the value of y."
    one = annotation(*facts, question=question, answer=answer, choices=choices)
    told = with_distractors(one)
    copy_earns_nothing(told)


def demo() -> list[Annotation]:
    lines = files("perception_reward.service.demo").joinpath("annotations.jsonl").read_bytes().splitlines()
    return [one for one in parse_lines(lines) if isinstance(one, Annotation)]


@pytest.mark.parametrize("one", demo(), ids=lambda one: one.id)
def test_a_copy_of_a_demo_s_question_earns_nothing_before_and_after(one: Annotation) -> None:
    copies = copies_of(one)
    assert copies is not None
    for copy in (copies.question, *copies.beside_the_question):
        assert earned(one, copy) <= {0.0, None}
    copy_earns_nothing(one)

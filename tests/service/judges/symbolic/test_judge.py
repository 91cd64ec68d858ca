"""What the symbolic judge says of facts about figures, and how it fails."""

from __future__ import annotations

import asyncio
import json
import pickle
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from itertools import combinations, count, islice, permutations
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.base import JudgeTask, Missing, Verdict
from perception_reward.service.judges.symbolic.judge import SymbolicJudge, decide_all
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.trainer_client.wire import Fact


def verdict(fact: str, response: str) -> Verdict:
    return decide_all(response, [Fact(id="f", text=fact)])[0]


STATED = [
    ("Segment AB has length 5.", "AB = 5"),
    ("Segment AB has length 5.", "The segment BA measures 5 cm."),
    ("Segment AB has length 5.", "We can see that 5 = AB."),
    ("Segment AB has length 5.", "AB and BC are 5 and 12 respectively."),
    ("Segment AB has length 5.", "the sides AB, BC, CA are 5, 12, 13"),
    ("Segment AB has length 5.", "| Side | Length |\n|---|---|\n| AB | 5 |"),
    ("Segment AB has length 5.", "The number 5 is written next to AB."),
    ("Segment AB has length 5.", "AB = CD = 5"),
    ("Segment AB has length 5.", "The hypotenuse AB is labelled 5."),
    ("Segment AB has length 5.", "AB is not 7 but AB is 5."),
    ("Segment AB has length 5.", "The side joining A and B is 5."),
    ("Segment AB has length 5.", r"\[ AB = \sqrt{3^2 + 4^2} = \sqrt{25} = 5 \]"),
    ("Segment AB has length 5.", "AB = 7. No wait, I misread it: AB = 5."),
    ("Segment MN has length 3x - 4.", "MN is labelled −4 + 3x"),
    ("Segment RT has length 7\\sqrt{2}.", "RT = 7√2"),
    ("Segment AB has length 13/2.", "AB = 6.5"),
    ("Angle ABC measures 50 degrees.", "∠ABC = ∠CBA = 50°"),
    ("Angle ABC measures 50 degrees.", r"$m\angle CBA = 50^{\circ}$"),
    ("Angle ABC measures 50 degrees.", "In triangle ABC the angle at B is 50°."),
    ("Angle ABC measures 50 degrees.", "The angle between AB and BC is 50 degrees."),
    ("Angle ABC measures 50 degrees.", "The interior angles of ABCD: at A it's 70°, at B it's 50°."),
    ("Segment AB has length 5.", "As for AB, it's 5."),
    ("Angle ACB measures (4y - 10) degrees.", "angle BCA is (4y-10)°"),
    ("Angle 1 measures 50 degrees.", "∠1 = 50°"),
    ("Arc AB measures 60 degrees.", r"$\widehat{AB} = 60^\circ$"),
    ("AB is perpendicular to BC.", "There is a right angle at B."),
    ("AB is perpendicular to BC.", "∠ABC = 90°"),
    ("AB is perpendicular to BC.", "ABCD is a rectangle."),
    ("AB is perpendicular to CD.", "AB meets CD at a right angle."),
    ("Angle ABC is a right angle.", "AB ⊥ BC"),
    ("Angle ABC is a right angle.", "△ABC is right-angled at B."),
    ("Angle ABC measures 90 degrees.", "∠ABC is a right angle"),
    ("AB is parallel to CD.", "CD ∥ AB"),
    ("AB is parallel to CD.", "Lines AB and CD are parallel."),
    ("Point D lies on segment AB.", "D is between A and B"),
    ("Point A lies on circle O.", "Points A, B and C lie on ⊙O."),
    ("Segments AB and CD have equal length.", r"$\overline{AB} \cong \overline{CD}$"),
    ("Angles ABC and DEF are equal.", "∠DEF = ∠ABC"),
    ("AB is a diameter of the circle.", "The diameter AB passes through O."),
    ("AB is tangent to circle O.", "Line AB is tangent to circle O at B."),
    ("Quadrilateral ABCD is a rhombus.", "BCDA is a rhombus."),
    ("Triangle ABC is isosceles.", "The isosceles triangle BAC"),
    ("D is the midpoint of AB.", "The midpoint of AB is D."),
    ("BD bisects angle ABC.", "BD is the bisector of ∠CBA."),
    ("Triangles ABC and DEF are similar.", "△ABC ~ △DEF"),
    ("The area of triangle ABC is 24.", "Triangle ABC has an area of 24 square units."),
    ("The radius of circle O is 5.", "Circle O's radius is five."),
    ("Segment AB has length 5.", "The distance from A to B is 5."),
    ("D is the midpoint of AB.", "D lies halfway between A and B."),
]
NOT_STATED = [
    ("Segment AB has length 5.", "If AB were 5, BC would be 7."),
    ("Segment AB has length 5.", "Suppose AB = 5. Then BC = 7."),
    ("Segment AB has length 5.", "AB might be 5."),
    ("Segment AB has length 5.", "AB is 5 or 7."),
    ("Segment AB has length 5.", "Is AB = 5?"),
    ("Segment AB has length 5.", "(A) AB = 5\n(B) AB = 7\n(C) AB = 9"),
    ("Segment AB has length 5.", "The ratio of AB to CD is 5."),
    ("Segment AB has length 5.", "AB^2 = 5"),
    ("Segment AB has length 5.", "AB + BC = 5"),
    ("Segment AB has length 5.", "AB is 5 more than CD"),
    ("Segment AB has length 5.", "sin AB = 5"),
    ("Segment AB has length 5.", "BC = 5"),
    ("Segment AB has length 5.", ""),
    ("AB is parallel to CD.", "If AB is parallel to CD, then the angles agree."),
    ("Quadrilateral ABCD is a rhombus.", "ABCD is a parallelogram."),
]
CONTRADICTED = [
    ("Segment AB has length 5.", "AB = 7"),
    ("Segment AB has length 5.", "AB is not 5."),
    ("Segment AB has length 5.", "AB = 5. AB = 6. AB = 7."),
    ("Segment AB has length 5.", "AB is 5, 6 and 7."),
    ("Segment AB has length 5.", "AB is 5 cm. It is not true that AB is 5 cm."),
    ("Segment AB has length 5 cm.", "AB = 5 m"),
    ("Segment MN has length 3x - 4.", "MN = 3x + 4"),
    ("Angle ABC measures 50 degrees.", "∠ABC = 60°"),
    ("Angle MPN is a right angle.", "In triangle MNP the right angle is at N."),
    ("AB is perpendicular to BC.", "AB ∥ BC"),
    ("AB is parallel to CD.", "AB is not parallel to CD."),
]


@pytest.mark.parametrize(("fact", "response"), STATED)
def test_a_response_that_says_the_fact_states_it(fact: str, response: str) -> None:
    found = verdict(fact, response)
    assert found.label == "stated"
    assert found.probability >= 0.8
    assert found.span is not None


@pytest.mark.parametrize(("fact", "response"), NOT_STATED)
def test_what_is_not_asserted_of_the_element_is_absent(fact: str, response: str) -> None:
    found = verdict(fact, response)
    assert found.label == "absent"
    assert found.probability <= 0.3


@pytest.mark.parametrize(("fact", "response"), CONTRADICTED)
def test_a_response_that_rules_the_fact_out_contradicts_it(fact: str, response: str) -> None:
    found = verdict(fact, response)
    assert found.label == "contradicted"
    assert found.probability <= 0.1


@pytest.mark.parametrize(
    ("fact", "response", "label"),
    [
        ("Angle FAC is labelled 1.", "∠FAC = 85°, so we are done.", "absent"),
        ("Angle FAC is labelled 1.", "Angle FAC is a right angle.", "absent"),
        ("Angle FAC is labelled 1.", "∠FAC is labelled 1 and measures 85°.", "stated"),
        ("Angle FAC is labelled 1.", "∠FAC is labelled 2.", "contradicted"),
        ("Angle FAC measures 1 degrees.", "∠FAC = 85°.", "contradicted"),
        ("Arc CD has length 1.31.", "Arc CD measures 54 degrees.", "absent"),
        ("Arc CD has length 1.31.", "Arc CD measures 54 degrees, and arc CD has length 2.", "contradicted"),
        ("Arc CD measures 54 degrees.", "Arc CD measures 55 degrees.", "contradicted"),
    ],
)
def test_a_size_in_degrees_says_nothing_of_a_label_or_a_length(fact: str, response: str, label: str) -> None:
    assert verdict(fact, response).label == label


def test_the_span_is_the_statement_in_the_response() -> None:
    response = "Look: the figure is clear. BC = 7 and $AB = 5$ cm. Done."
    start, end = verdict("Segment AB has length 5.", response).span or (0, 0)
    assert response[start:end] == "AB = 5$ cm"


def test_a_verdict_does_not_depend_on_the_facts_asked_with_it() -> None:
    response = "AB = 5. The radius is 3. In △ABC the right angle is at B. x = 4"
    texts = [
        "Segment AB has length 5.",
        "AB is perpendicular to BC.",
        "The radius of circle O is 3.",
        "There are 3 dogs.",
    ]
    facts = [Fact(id=text, text=text) for text in texts]
    together = decide_all(response, facts)
    assert together == tuple(decide_all(response, [fact])[0] for fact in facts)


@given(st.text(max_size=300))
def test_no_response_raises(response: str) -> None:
    found = verdict("Segment AB has length 5.", response)
    assert 0.0 <= found.probability <= 1.0
    assert 0.0 <= found.certainty <= 1.0


@given(
    st.lists(
        st.sampled_from(
            [
                "AB",
                "BC",
                "=",
                "5",
                "∠ABC",
                "90°",
                "∥",
                "⟂",
                "is",
                "at",
                "or",
                "not",
                "(",
                ")",
                ",",
                ".",
                "|",
                "and",
                "right",
                "angle",
                "of",
                "circle",
                "O",
                "√",
                "2x",
                "+",
                "\\frac{",
                "}",
            ]
        )
    )
)
def test_no_geometry_raises(words: list[str]) -> None:
    response = " ".join(words)
    for fact in ("Segment AB has length 5.", "AB is perpendicular to BC.", "Point B lies on circle O."):
        span = verdict(fact, response).span
        assert span is None or 0 <= span[0] <= span[1] <= len(response)


HOSTILE = [
    "(", "a ", "\\", "{", "A", "A ", "AB=5 ", "AB = 5, ", "1+", "\n", ". ", "√", "|", "not ", " ", "x^", "- ", "AB is ",
    "\ud800", "right angle at B and ", "AB = 5? ", "wait, AB = 6. ", "∠ABC = ∠DEF\n", "AB ⟂ BC\n", "'", "\\frac{",
    "1 ", "the radius is 5 or ", "angle between AB and ", "five ",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    facts = [
        Fact(id=text, text=text)
        for text in ("Segment AB has length 5.", "AB is perpendicular to BC.", "Angles ABC and DEF are equal.")
    ]
    response = unit * (100_000 // len(unit))
    started = time.process_time()
    decide_all(response, facts)
    assert time.process_time() - started < 3.0


SEGMENTS = ["".join(pair) for pair in combinations(ascii_uppercase, 2)]
TRIPLES = ["".join(three) for three in permutations(ascii_uppercase[:12], 3) if three[0] < three[2]]
NOUNS = [
    *("dog", "cat", "car", "tree", "house", "boat", "chair", "lamp", "cup"),
    *("plate", "book", "phone", "bird", "horse", "train", "bench", "sign", "shirt"),
]

# A sentence and a fact, by a number. Each pair of the two is a comparison, unless what bears on a fact is looked up.
PRODUCTS: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "prose": (
        lambda n: f"The red {NOUNS[n % 18]} stands left of the {NOUNS[n * 7 % 18]} and has {n % 97} {NOUNS[n % 17]}s. ",
        lambda n: f"The red {NOUNS[n % 18]} is near the blue {NOUNS[n * 5 % 18]} number {n}.",
    ),
    "a line without an end": (
        lambda n: f"the {NOUNS[n % 18]} has {n % 97} dogs, ",
        lambda n: f"The {NOUNS[n % 18]} has {n} dogs and cats.",
    ),
    "one sentence": (lambda n: "There are three dogs near the red house. ", lambda n: f"There are {n} red dogs."),
    "short sentences": (lambda n: f"{NOUNS[n % 18]} {n % 997}. ", lambda n: f"The {NOUNS[n % 18]} is number {n}."),
    "amounts": (
        lambda n: f"In {1900 + n % 130}, sales of {NOUNS[n % 18]}s reached {n % 997}. ",
        lambda n: f"Sales of {NOUNS[n % 18]}s in {1900 + n % 130} were {n}.",
    ),
    "a table": (
        lambda n: f"| {1900 + n} | " + " | ".join(f"{NOUNS[k]} {n * k % 97}" for k in range(12)) + " |\n",
        lambda n: f"The number of {NOUNS[n % 12]}s in {1900 + n} is {n}.",
    ),
    "lengths": (lambda n: f"{SEGMENTS[n % 325]} = {n % 89}. ", lambda n: f"Segment {SEGMENTS[n]} has length {n}."),
    "any side": (lambda n: f"{SEGMENTS[n % 325]} = {n % 89}. ", lambda n: f"One side measures {1000 + n}."),
    "angles": (lambda n: f"∠{TRIPLES[n % 660]} = {n % 170}°. ", lambda n: f"Angle {TRIPLES[n]} measures {n} degrees."),
    "vertices": (lambda n: f"∠A{n % 10}BC{n % 7} = {n % 170}°. ", lambda n: f"Angle B measures {n} degrees."),
    "right angles": (
        lambda n: f"{SEGMENTS[n % 300]} ⟂ {SEGMENTS[(n * 7 + 1) % 325]}. ",
        lambda n: f"Triangle {TRIPLES[n]} is a right triangle.",
    ),
    "corrections": (lambda n: f"AB = {n}. No wait, actually, no. ", lambda n: f"Segment AB has length {n}."),
}


@pytest.mark.parametrize("case", PRODUCTS)
def test_many_facts_of_a_long_response_take_less_than_a_worker_may(case: str) -> None:
    say, ask = PRODUCTS[case]
    response = "".join(islice((say(number) for number in count()), 16_000))[:65_536]
    facts = [Fact(id=f"f{number}", text=ask(number)) for number in range(256)]
    started = time.process_time()
    decide_all(response, facts)
    # Some 1.5 s on a machine left alone, where what compares each with each takes 10 to 20.
    assert time.process_time() - started < 7.0


def test_a_verdict_on_a_part_of_what_is_said_of_a_side_is_truncated() -> None:
    said = " ".join(f"{name} = {number}." for number, name in enumerate(SEGMENTS))
    found = verdict("One side measures 1000.", said)
    assert (found.label, found.truncated) == ("contradicted", True)
    assert not verdict("One side measures 1000.", said[:1000]).truncated
    assert not verdict("Segment AB has length 1000.", said).truncated


def test_decide_all_and_its_verdicts_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(decide_all)) is decide_all
    found = decide_all("AB = 5", [Fact(id="f", text="Segment AB has length 5.")])
    assert pickle.loads(pickle.dumps(found)) == found


async def test_the_judge_yields_one_outcome_per_fact() -> None:
    facts = (Fact(id="a", text="Segment AB has length 5."), Fact(id="b", text="AB is parallel to CD."))
    judge = SymbolicJudge(None)
    deadline = asyncio.get_running_loop().time() + 30
    results = dict(
        [result async for result in judge.judge([JudgeTask("AB = 5", facts), JudgeTask("", facts)], deadline)]
    )
    labels = {
        index: [item.label for item in outcomes if isinstance(item, Verdict)] for index, outcomes in results.items()
    }
    assert labels == {0: ["stated", "absent"], 1: ["absent", "absent"]}


async def test_a_pool_of_workers_gives_the_same_verdicts() -> None:
    facts = (Fact(id="a", text="Segment AB has length 5."), Fact(id="b", text="AB is parallel to CD."))
    pool = WorkerPool(1)
    await pool.start()
    try:
        deadline = asyncio.get_running_loop().time() + 30
        results = [result async for result in SymbolicJudge(pool).judge([JudgeTask("AB = 5", facts)], deadline)]
    finally:
        await pool.aclose()
    assert results == [(0, decide_all("AB = 5", facts))]


async def test_closing_the_judges_iterator_closes_the_pools_at_once() -> None:
    class Watched(WorkerPool):
        closed = False

        async def map(self, *arguments: Any, **options: Any) -> AsyncGenerator[Any]:
            try:
                async with aclosing(super().map(*arguments, **options)) as results:
                    async for result in results:
                        yield result
            finally:
                self.closed = True

    task = JudgeTask("AB = 5", (Fact(id="a", text="Segment AB has length 5."),))
    pool = Watched(1)
    await pool.start()
    try:
        results = SymbolicJudge(pool).judge([task] * 50, asyncio.get_running_loop().time() + 30)
        await anext(results)
        assert not pool.closed
        await results.aclose()
        assert pool.closed
    finally:
        await pool.aclose()


async def test_after_the_deadline_verdicts_are_missing() -> None:
    facts = (Fact(id="a", text="Segment AB has length 5."),)
    results = [result async for result in SymbolicJudge(None).judge([JudgeTask("AB = 5", facts)], 0.0)]
    assert results == [(0, (Missing("judge_timeout"),))]


async def test_the_judge_is_always_well_and_names_its_rules() -> None:
    judge = SymbolicJudge(None)
    assert (await judge.health()).ok
    assert judge.info.name == "symbolic"
    assert judge.info.fingerprint == SymbolicJudge(None).info.fingerprint


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def test_labelled_real_responses_are_told_apart(shared_data: Path) -> None:
    responses = {
        f"mathvista/{row['model']}/{row['pid']}": row["response"]
        for row in rows(shared_data / "mathvista/responses.jsonl")
    }
    own = rows(shared_data / "labelled/own_responses.jsonl")
    responses.update({row["key"]: row["response"] for row in own})
    pairs = [row for row in rows(shared_data / "labelled/pairs.jsonl") if not row["doubtful"]]
    scored = [(verdict(row["fact"], responses[row["key"]]).probability, row["label"] == "stated") for row in pairs]
    stated = [score for score, positive in scored if positive]
    rest = [score for score, positive in scored if not positive]
    wins = sum((one > other) + 0.5 * (one == other) for one in stated for other in rest)
    assert wins / (len(stated) * len(rest)) >= 0.97


def test_a_ratio_gives_neither_side_a_value() -> None:
    said = "DK = 16. Then DK:KC = 2:1, so KC = 8."
    assert verdict("Segment DK has length 16.", said).label == "stated"
    assert verdict("Segment DK has length 2.", said).label == "contradicted"
    assert verdict("Segment KC has length 1.", "DK:KC = 2:1").label == "absent"


def test_a_value_stands_though_it_is_compared_next() -> None:
    assert verdict("Segment AC has length 12.", "AC = 12.0 = 2 times AB").label == "stated"
    assert verdict("Segment AC has length 2.", "AC = 2 times AB").label == "absent"


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Segment AB has length 5.", "AB is 5, 6, 7 or 8."),
        ("Segment AB has length 5.", "Segment AB has length 5 (or 6)."),
        ("Segment AB has length 5.", "AB is either 5 or 6."),
        ("Angle ABC measures 50 degrees.", "∠ABC is 40°, 50°, or 60°."),
        ("There are three dogs.", "There are 2, 3 or 4 dogs."),
        ("Sales in 2019 were 40.", "Sales in 2019 were 30, 40 or 50."),
    ],
)
def test_a_value_offered_among_others_is_absent_and_settled(fact: str, response: str):
    found = verdict(fact, response)
    assert (found.label, found.settled) == ("absent", True)


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Segment AB has length 5.", "AB might be 5."),
        ("Segment AB has length 5.", "If AB = 5, the rest follows."),
        ("Segment AB has length 5.", "Is AB equal to 5?"),
        ("The bar for Monday shows 40 books.", "Perhaps the bar for Monday shows 40 books."),
        ("The cat is on the table.", "Is the cat on the table?"),
    ],
)
def test_what_is_only_supposed_asked_or_hedged_is_settled(fact: str, response: str):
    found = verdict(fact, response)
    assert (found.label, found.settled) == ("absent", True)


def test_what_is_also_asserted_is_not_settled():
    found = verdict("Segment AB has length 5.", "Is AB equal to 5? Yes: AB = 5.")
    assert (found.label, found.settled) == ("stated", False)


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Segment AB has length 5.", "AB = 5. AB = 6. AB = 7."),
        ("Segment AB has length 5.", "\n".join(f"- AB = {value}" for value in range(1, 30))),
        ("Segment AB has length 5.", "| segment | length |\n|---|---|\n| AB | 4 |\n| AB | 5 |\n| AB | 6 |"),
        ("Segment AB has length 5.", "AB is 5. AB is not 5."),
        ("Angle ABC measures 50 degrees.", "∠ABC measures 50 degrees. ∠ABC does not measure 50 degrees."),
        ("AB is perpendicular to CD.", "AB is perpendicular to CD. AB is parallel to CD."),
        ("Point D lies on line AB.", "D lies on AB. D does not lie on AB."),
        ("There are three dogs.", "There are 2 dogs. There are 3 dogs. There are 4 dogs."),
        ("The car is red.", "The car is red. The car is blue."),
        ("There is a dog.", "There is a dog. There is no dog."),
    ],
)
def test_a_fact_said_with_what_excludes_it_is_contradicted_and_settled(fact: str, response: str):
    found = verdict(fact, response)
    assert (found.label, found.settled) == ("contradicted", True)


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Segment AB has length 5.", "AB = 5, or equivalently, BA = 5."),
        ("Segment AB has length 5.", "AB is 5, so CD is 7 or 8."),
        ("Segment AB has length 5.", "AB = 4, no wait, AB = 5."),
        ("Segment AB has length 5.", "AB = 5 and CD = 6."),
        ("The car is red.", "The car is red and white."),
    ],
)
def test_other_values_of_other_things_leave_a_statement_alone(fact: str, response: str):
    found = verdict(fact, response)
    assert (found.label, found.settled) == ("stated", False)


def test_a_response_that_says_nothing_else_settles_nothing():
    assert not verdict("Segment AB has length 5.", "AB = 6.").settled
    assert not verdict("Segment AB has length 5.", "CD = 6.").settled


@pytest.mark.parametrize("said", ["∠7 is ∠LDO.", "∠LDO is marked as ∠7.", "$\\angle 7$ is $\\angle LDO$."])
def test_what_is_said_of_an_angles_number_says_nothing_of_its_size(said: str) -> None:
    assert verdict("Angle ODL is labelled 7.", said).label == "stated"
    assert verdict("Angle ODL is labelled 5.", f"∠LDO is labelled 5. {said}").label == "contradicted"
    assert verdict("Angle ODL measures 40 degrees.", said).label == "absent"
    assert verdict("Angle ODL measures 40 degrees.", f"{said} ∠ODL = 40°.").label == "stated"

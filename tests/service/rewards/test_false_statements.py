"""What false statements cost, from the response to the score, with the symbolic judge and the packaged profiles."""

from __future__ import annotations

import asyncio

import pytest

from perception_reward.service.assembly import assemble
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.service.rewards.grading import AccuracyGrader
from perception_reward.service.rewards.registry import registered
from perception_reward.service.scoring.scorer import Scorer
from perception_reward.service.settings import load
from perception_reward.trainer_client.wire import Fact, ItemResult, ScoreItem, ScoreRequest

AB, ABC = "Segment AB has length 5.", "Angle ABC measures 50 degrees."
SILENCE = "I look at the picture and think about the question."

# A fact with ways to list every value that it might have.
LISTS = {
    AB: [
        "AB is 5, 6, 7 or 8.",
        "AB = 4. AB = 5. AB = 6. AB = 7.",
        "AB = 4, 5, 6, 7",
        "AB: 4/5/6/7",
        "AB is one of 4, 5, 6 and 7.",
        "Segment AB has length 5 (or 6).",
        "AB = 5 and BA = 6.",
        "\n".join(f"- AB = {value}" for value in range(1, 40)),
        "| segment | length |\n|---|---|\n" + "".join(f"| AB | {value} |\n" for value in range(1, 20)),
        "| AB | 4 | 5 | 6 |\n|---|---|---|---|",
    ],
    ABC: [
        "∠ABC is 40°, 50°, or 60°.",
        "∠ABC = 40°, 50°, 60°",
        "\n".join(f"∠ABC = {value}°" for value in range(10, 180, 10)),
    ],
    "Arc AB measures 50 degrees.": ["Arc AB is 40°. Arc AB is 50°. Arc AB is 60°.", "Arc AB is 40°, 50° or 60°."],
    "AB is perpendicular to CD.": [
        "AB is perpendicular to CD. AB is parallel to CD.",
        "AB is perpendicular or parallel to CD.",
    ],
    "Quadrilateral ABCD is a rhombus.": ["ABCD is a square, rhombus, rectangle or kite."],
    "There are three dogs.": [
        "There are 2 dogs. There are 3 dogs. There are 4 dogs.",
        "There are 2, 3 or 4 dogs.",
        "Dogs: 1, 2, 3, 4",
    ],
    "The car is red.": [
        "The car is red. The car is blue. The car is green.",
        "The car is red, blue, green, or yellow.",
        "The car is red, blue, green and yellow.",
    ],
    "Sales in 2019 were 40.": [
        "Sales in 2019 were 30, 40 or 50.",
        "Sales in 2019: 30, 40, 50.",
        "| year | sales |\n|---|---|\n| 2019 | 30 |\n| 2019 | 40 |\n| 2019 | 50 |",
    ],
    'The sign reads "STOP".': ["The sign reads STOP. The sign reads EXIT.", 'The sign says "STOP", "EXIT" or "OPEN".'],
    "The cup is to the left of the plate.": [
        "The cup is to the left of the plate. The cup is to the right of the plate.",
    ],
}
# A fact with a response that states it and denies it.
BOTH = {
    AB: "AB is 5. AB is not 5.",
    ABC: "∠ABC measures 50 degrees. ∠ABC does not measure 50 degrees.",
    "AB is perpendicular to CD.": "AB is perpendicular to CD. AB is not perpendicular to CD.",
    "Point D lies on line AB.": "D lies on AB. D does not lie on AB.",
    "Segments AB and CD have equal length.": "AB = CD. AB is not equal to CD.",
    "There are three dogs.": "There are three dogs. There are not three dogs.",
    "There is a dog.": "There is a dog. There is no dog.",
    "The car is red.": "The car is red. The car is not red.",
}


def scored(items: list[tuple[str, list[Fact]]], profile: str = "perception-r1") -> list[ItemResult]:
    """The results of (response, facts) by the scorer, with the symbolic judge in this process: it has no workers."""

    async def main() -> list[ItemResult]:
        service = assemble(load(workers=1), preload=())
        scorer = Scorer(
            store=service.store,
            cache=service.cache,
            judge=SymbolicJudge(),
            grader=AccuracyGrader(service.pool),
            profiles=service.profiles,
            components=registered(),
            default_profile="perception-r1",
            max_response_chars=65536,
            observer=service.metrics,
        )
        listed = [ScoreItem(response=response, facts=facts) for response, facts in items]
        deadline = asyncio.get_running_loop().time() + 60
        return (await scorer.score(ScoreRequest(items=listed, profile=profile), deadline)).results

    return asyncio.run(main())


def score(result: ItemResult) -> float:
    assert result.score is not None, result.reason
    return result.score


def fact(text: str, **more: str) -> Fact:
    return Fact.model_validate({"id": text, "text": text, **more})


def test_listing_every_value_pays_no_more_than_honest_silence():
    lists = [(text, response) for text, responses in LISTS.items() for response in responses]
    silence = dict(zip(LISTS, map(score, scored([(SILENCE, [fact(text)]) for text in LISTS])), strict=True))
    listed = map(score, scored([(response, [fact(text)]) for text, response in lists]))
    paid = [(text, response) for (text, response), got in zip(lists, listed, strict=True) if got > silence[text]]
    assert paid == []


def test_a_plain_statement_does_pay():
    results = scored([(text, [fact(text)]) for text in (*LISTS, *BOTH)])
    assert {result.components["perception"] for result in results} == {1.0}


def test_a_fact_and_its_negation_do_not_state_it():
    results = scored([(response, [fact(text)]) for text, response in BOTH.items()])
    verdicts = [result.facts[0].verdict for result in results if result.facts]
    assert verdicts == ["contradicted"] * len(BOTH)
    assert {result.components["perception"] for result in results} == {0.0}


@pytest.mark.parametrize(("profile", "share"), [("perception-r1", 0.5), ("gated", 0.0)])
def test_a_contradicted_fact_costs_under_a_profile_that_says_so(profile: str, share: float):
    (result,) = scored([("AB = 5, and ∠ABC = 70°.", [fact(AB), fact(ABC)])], profile)
    assert result.components["perception"] == share


def test_a_stated_distractor_takes_back_a_stated_fact_of_its_weight():
    facts = [fact(AB), fact(ABC), fact("Segment BC has length 9.", polarity="distractor")]
    honest, wrong = scored([("AB = 5 and ∠ABC = 50°.", facts), ("AB = 5 and ∠ABC = 50° and BC = 9.", facts)])
    assert (honest.components["perception"], wrong.components["perception"]) == (1.0, 0.5)


def test_naming_true_and_false_alike_pays_no_more_than_silence_where_distractors_are_stored():
    facts = [fact(AB), fact("Segment AB has length 7.", polarity="distractor")]
    facts += [fact("Line CD is parallel to EF."), fact("Line CD is parallel to GH.", polarity="distractor")]
    both = "CD is parallel to EF. CD is parallel to GH. AB = 5. AB = 7."
    silent, listed = scored([(SILENCE, facts), (both, facts)])
    assert score(listed) <= score(silent)

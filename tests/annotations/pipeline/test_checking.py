"""What of the claims stays: each rule on claims as models make them, and agreement as confidence."""

from __future__ import annotations

from typing import Any

import pytest

from perception_reward.annotations.model import Provenance
from perception_reward.annotations.pipeline.asks import Answer
from perception_reward.annotations.pipeline.checking import (
    CONTRADICTED,
    DENIED,
    LEAKS,
    NOT_QUOTED,
    RARE,
    REPEATS,
    RESTATES,
    UNNAMED,
    UNSUPPORTED,
    VAGUE,
    Checking,
    CheckReport,
    Verdict,
    annotation_of,
    check_claims,
    is_quoted,
)
from perception_reward.annotations.pipeline.images import Picture
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.rows import Extracted, Sighting


def claim(statement: str, quote: str | None = None, **more: Any) -> Sighting:
    return Sighting(statement=statement, quote=statement if quote is None else quote, **more)


def row(*claims: Sighting, sample: int = 0, model: str = "m", **more: Any) -> Extracted:
    fields = {"id": "a", "question": "Find x.", "response": " ".join(one.quote for one in claims), **more}
    return Extracted(**fields, sample=sample, claims=list(claims), provenance=Provenance(model=model))


def reasons(*claims: Sighting, **more: Any) -> list[str]:
    return [one.why for one in check_claims([row(*claims, **more)]).dropped]


@pytest.mark.parametrize(
    ("one", "more", "why"),
    [
        (claim("The answer is 7."), {}, LEAKS),
        (claim("There are 7 red balls."), {"answer": "7", "question": "How many red balls are there?"}, LEAKS),
        (claim("Segment AC has length 13."), {"answer": "13", "question": "Find AC."}, LEAKS),
        (
            claim("The sign reads Stop."),
            {"answer": "B", "choices": ["Go", "Stop"], "question": "What does the sign read?"},
            LEAKS,
        ),
        (claim("It is 5 cm long."), {}, VAGUE),
        (claim("The image shows a diagram."), {}, VAGUE),
        (claim("Some bars seem taller."), {}, VAGUE),
        (claim("Segment AB has length 5.", "AB = 5"), {"response": "AB = 6"}, NOT_QUOTED),
        (claim("Segment AB has length 5.", ""), {}, NOT_QUOTED),
        (claim("Segment AB has length 5.", "AB is a side"), {}, UNSUPPORTED),
        (claim("The cat sleeps on the green sofa.", "A bird sings"), {}, UNSUPPORTED),
        (claim("Segment PQ has length 5.", "the side is 5"), {}, UNNAMED),
        (claim("Segment AB has length 5."), {"question": "AB = 5. Find x."}, RESTATES),
    ],
)
def test_what_cannot_be_used_is_dropped_with_the_reason(one: Sighting, more: dict[str, Any], why: str) -> None:
    assert reasons(one, **more) == [why]


@pytest.mark.parametrize(
    ("one", "more"),
    [
        (claim("Segment AB has length 5.", "AB = 5"), {"answer": "5", "question": "Find the area of the circle."}),
        (claim("Angle ABC measures 90 degrees.", "ABC is a right angle"), {}),
        (
            claim("There are three red balls.", "I see 3 red balls"),
            {"answer": "9", "question": "How many balls in all?"},
        ),
        (claim("The bar for 2019 is 45.", "the 2019 bar reaches 45"), {"question": "What is the value for 2020?"}),
        (claim('The sign reads "STOP".', 'a sign with "STOP"'), {"question": "What colour is the car?"}),
    ],
)
def test_what_is_seen_stays(one: Sighting, more: dict[str, Any]) -> None:
    checked = check_claims([row(one, **more)])
    assert [found.claim.origin for found in checked.kept] == ["seen"], checked.dropped


def test_agreement_is_a_share_of_each_models_trajectories_and_then_of_models() -> None:
    ab, cd = claim("Segment AB has length 5."), claim("Segment CD has length 8.")
    group = [
        row(ab, claim("AB = 5"), sample=0),
        row(claim("The length of AB is 5."), cd, sample=1),
        row(ab, model="n"),
    ]
    checked = check_claims(group)
    assert [(one.claim.statement, one.confidence) for one in checked.kept] == [
        ("Segment AB has length 5.", 1.0),
        ("Segment CD has length 8.", 0.25),
    ]
    assert [one.why for one in checked.dropped] == [REPEATS] * 3
    checked = check_claims(group, least_confidence=0.5)
    assert [one.why for one in checked.dropped][-1] == RARE
    annotation = annotation_of(checked)
    assert [(fact.id, fact.text, fact.confidence) for fact in annotation.facts] == [
        ("f1", "Segment AB has length 5.", 1.0)
    ]


def test_of_claims_that_contradict_one_another_the_one_made_more_often_stays_or_none() -> None:
    five, six = claim("Segment AB has length 5."), claim("AB = 6")
    checked = check_claims([row(five), row(six, sample=1), row(five, sample=2)])
    assert [one.claim.statement for one in checked.kept] == ["Segment AB has length 5."]
    assert CONTRADICTED in [one.why for one in checked.dropped]
    checked = check_claims([row(five), row(six, sample=1)])
    assert checked.kept == []
    red, blue = claim("The large ball is red."), claim("The large ball is blue.")
    assert reasons(red, blue) == [CONTRADICTED] * 2
    assert reasons(claim("The bar for 2019 is 45."), claim("The bar for 2020 is 50.")) == []


def test_a_model_that_sees_the_image_is_asked_of_each_seen_fact() -> None:
    look = Checking(0.0, Prompt.read("image_check"), lambda problem: (Picture("a.png", None, "x"),))
    steps = look.step([row(claim("Segment AB has length 5."), claim("Segment CD has length 8."))])
    asks = next(steps)
    assert ["Segment AB has length 5." in ask.text for ask in asks] == [True, False]
    with pytest.raises(StopIteration) as end:
        steps.send([Answer(value=Verdict(verdict="no")), Answer(value=Verdict(verdict="yes"))])
    checked = end.value.value
    assert [one.claim.statement for one in checked.kept] == ["Segment CD has length 8."]
    assert [one.why for one in checked.dropped] == [DENIED]
    report = CheckReport()
    report.add(checked)
    assert "1 problems, 0 without any seen fact; 2 claims, 1 seen facts" in list(report.lines())


@pytest.mark.parametrize(
    ("quote", "response"),
    [
        ("AB is 5.", "**AB**\nis  5, and so on"),
        ("ab=5", "Here AB = 5."),
        ("triangle PQR", r"the $\triangle PQR$"),
        ("m∠ABC = 70°", r"* m∠ABC = 70^\circ"),
        ("AB is 5", "<b>AB</b> is 5<br/>"),
        ("AB等于5", "图中AB等于5，圆心是O"),
        ("x = -5", "so x = −5 here"),
        ("x - 5 = 2", "x-5=2"),
        ("Länge ist 3", "Die Länge ist 3 cm"),
    ],
)
def test_marks_and_white_space_are_no_part_of_a_quotation(quote: str, response: str) -> None:
    assert is_quoted(quote, response)


@pytest.mark.parametrize(
    ("quote", "response"),
    [
        ("AB = 15", "AB = 1.5"),
        ("x = 5", "x = 50"),
        ("x = 5", "2x + max = 5.5"),
        ("r = 13", "the diameter = 13"),
        ("A = 66", "the area = 66"),
        ("x = -5", "x = 5"),
        ("x = 5", "x = -5"),
        ("AB < 5", "AB > 5"),
        ("AB ≠ CD", "AB = CD"),
        ("一", "二"),
        ("…", "… and so on"),
        ("", "AB = 5"),
    ],
)
def test_a_quotation_is_made_of_whole_words_and_numbers(quote: str, response: str) -> None:
    assert not is_quoted(quote, response)

from __future__ import annotations

from typing import Any

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.stats import Stats
from perception_reward.trainer_client.wire import Fact


def annotation(name: str, *facts: dict[str, Any], **known: Any) -> Annotation:
    listed = [{"id": f"f{number}", "text": "AB = 5.", **fact} for number, fact in enumerate(facts)]
    return Annotation.model_validate({"id": name, "facts": listed, **known})


def test_an_annotation_without_a_present_seen_fact_with_weight_shows_no_seeing() -> None:
    stats = Stats.of(
        [
            annotation("seen", {}, {"origin": "given"}),
            annotation("given", {"origin": "given"}),
            annotation("derived", {"origin": "derived"}),
            annotation("false", {"polarity": "distractor"}),
            annotation("weightless", {"weight": 0}),
            annotation("empty"),
        ]
    )
    assert (stats.annotations, stats.without_seen, stats.without_facts) == (6, 5, 2)
    assert stats.distractors == 1
    assert dict(stats.origins) == {"seen": 2, "given": 2, "derived": 1}


def test_the_report_says_in_its_first_line_how_many_have_no_seen_fact() -> None:
    one = annotation("a", {"kind": "length"}, {"kind": "length", "origin": "given"}, question="?", answer="5")
    other = annotation("b", {"kind": "angle", "origin": "given"})
    assert list(Stats.of([one, other]).lines()) == [
        "2 annotations with 1 seen, 0 derived and 2 given facts, 0 distractors; "
        "without a seen fact, and so without perception: 1 annotations",
        "0 without any fact, 1 without a question, 1 without an answer",
        "             seen  derived    given",
        "  length        1        0        1",
        "  angle         0        0        1",
    ]


def test_of_nothing_there_is_nothing_to_tell() -> None:
    assert next(Stats().lines()).startswith("0 annotations with 0 seen")


def test_the_facts_of_a_problem_are_told_by_mean_middle_and_most() -> None:
    facts = [Fact(id=f"f{n}", text="AB = 5.") for n in range(9)]
    stats = Stats.of([Annotation(id=str(n), facts=facts[:n]) for n in (0, 1, 2, 9)])
    assert stats.spread == "facts of a problem: 3.0 in the mean, 1 in the middle, 9 at most"
    assert Stats().spread == ""

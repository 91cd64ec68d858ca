from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

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
        "0 without any fact, 1 without a question, 1 without an answer, 2 without an image",
        "             seen  derived    given  of the problems",
        "  length        1        0        1            50.0%",
        "  angle         0        0        1            50.0%",
    ]


def test_of_nothing_there_is_nothing_to_tell() -> None:
    assert next(Stats().lines()).startswith("0 annotations with 0 seen")


def test_the_facts_of_a_problem_are_told_by_mean_middle_and_most() -> None:
    facts = [Fact(id=f"f{n}", text="AB = 5.") for n in range(9)]
    stats = Stats.of([Annotation(id=str(n), facts=facts[:n]) for n in (0, 1, 2, 9)])
    assert stats.spread == "facts of a problem: 3.0 in the mean, 1 in the middle, 9 at most"
    assert Stats().spread == ""


def test_confidence_is_told_where_facts_have_one() -> None:
    stats = Stats.of([annotation("a", {"confidence": 1.0}, {"confidence": 0.3}, {"confidence": 0.95}, {})])
    assert list(stats.lines())[-1] == "confidence of 3 facts: 1 0.3 to 0.4, 2 0.9 to 1.0"


def test_the_picture_shows_kinds_coverage_sizes_and_what_is_lacking() -> None:
    hostile = "</title><script>alert(1)</script>"
    stats = Stats.of(
        [annotation("a", {"kind": "length"}, {"kind": hostile}), annotation("b", *({"kind": "length"},) * 90)]
    )
    drawn = ElementTree.fromstring(stats.picture())
    texts = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "problems, of 2, with a fact of the kind" in texts
    assert texts[texts.index("problems by their number of facts") + 1] == "0 to 4"
    assert texts[texts.index("without an image") + 1] == "2"
    assert hostile in texts
    assert not list(drawn.iter("{http://www.w3.org/2000/svg}script"))


def test_nothing_has_a_picture_too() -> None:
    assert "What 0 annotations hold" in Stats().picture()

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from perception_reward.annotations.model import Annotation
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.report.explained import explained, marked
from perception_reward.trainer_client.wire import Components, Fact, FactResult, ItemResult, ScoreItem

RESPONSE = "<think>\n\nAB = 5 and BC = 7.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
PROFILES = load_profiles(None)


def fact(number: int, **fields: Any) -> Fact:
    return Fact(id=f"f{number}", text=f"Fact [{number}].", **fields)


def verdict(number: int, label: str, words: str | None = None) -> FactResult:
    start = RESPONSE.index(words) if words else 0
    span = (start, start + len(words)) if words else None
    return FactResult.model_validate({"id": f"f{number}", "verdict": label, "probability": 0.9, "span": span})


def result(*facts: FactResult, perception: float | None = 0.5, score: float | None = 1.35, **fields: Any) -> ItemResult:
    parts = Components(format=1.0, accuracy=1.0, perception=perception, repetition=0.0)
    values = {"id": "r", "status": "ok", "score": score, "components": parts, "facts": list(facts), "reason": None}
    return ItemResult.model_validate(values | fields)


def shown(annotation: Annotation | None, of: ItemResult, profile: str = "perception-r1", **item: Any) -> str:
    console = Console(width=80, markup=False, record=True, file=None, force_terminal=False)
    rollout = ScoreItem(id="[r]", response=RESPONSE, **({"annotation_id": "a"} if annotation else {}), **item)
    with console.capture() as captured:
        console.print(explained(rollout, annotation, of, PROFILES[profile]))
    return captured.get()


def test_the_words_that_decided_are_marked_with_their_facts():
    verdicts = [
        (fact(1), verdict(1, "stated", "AB = 5")),
        (fact(2), verdict(2, "absent")),
        (fact(3), verdict(3, "contradicted", "BC = 7")),
        (fact(4, polarity="distractor"), verdict(4, "stated", "BC = 7")),
        (fact(5), verdict(5, "stated", "AB = 5 and BC")),
    ]
    text = marked(RESPONSE, verdicts)
    assert "‹‹AB = 5›¹ and ‹BC›⁵ = 7›³˒⁴." in text.plain
    assert "\n\n" not in text.plain
    unmarked = text.plain.translate(dict.fromkeys(map(ord, "‹›¹³⁴⁵˒")))
    assert unmarked == RESPONSE.replace("\n\n", "\n")


@pytest.mark.parametrize("response", ["", "no span", "x" * 5000, "‹›[/b] \x1b[31m"])
def test_any_response_is_shown(response: str):
    assert marked(response, []).plain == response


def test_each_number_says_where_it_comes_from():
    facts = [fact(1), fact(2), fact(3, polarity="distractor"), fact(4, origin="given"), fact(5, weight=2.0)]
    annotation = Annotation(id="a", question="Find AC.", answer="13", facts=facts)
    labels = ["stated", "contradicted", "stated", "stated", "absent"]
    text = shown(annotation, result(*(verdict(n, label) for n, label in enumerate(labels, start=1))))
    assert "[r]  Find AC. (right: 13)" in text
    assert "Fact [3].  (false of the image)" in text
    assert "Fact [4].  (does not count: the question gives it)" in text
    assert "Fact [5].  (weight 2)" in text
    numbers = " ".join(text.split())
    assert "format 1.00 × 0.1 a thought, then an answer in a \\boxed{}" in numbers
    assert "accuracy 1.00 × 0.9 the answer is right" in numbers
    assert "perception 0.50 × 0.7 1 of 3 facts stated, less 1 for a false one" in numbers
    assert "score 1.35 profile perception-r1" in numbers


def test_what_contradicts_costs_where_the_profile_says_so():
    annotation = Annotation(id="a", facts=[fact(1), fact(2)])
    text = shown(annotation, result(verdict(1, "contradicted"), verdict(2, "absent")), "gated")
    assert f"less {PROFILES['gated'].perception.contradiction_cost:g} for 1 contradicted" in text


def test_a_gate_that_is_shut_is_told():
    annotation = Annotation(id="a", answer="13", facts=[fact(1)])
    text = " ".join(shown(annotation, result(verdict(1, "absent"), perception=0.0), "gated").split())
    assert "the answer is right; the profile's gate lets it count for nothing" in text


def test_a_missing_score_says_why():
    missing = result(perception=None, score=None, status="missing", reason="judge_timeout", facts=None)
    text = " ".join(shown(Annotation(id="a", facts=[fact(1)]), missing).split())
    assert "score – missing: judge_timeout" in text


def test_inline_facts_need_no_annotation():
    text = shown(None, result(verdict(1, "stated")), facts=[fact(1)], answer=13)
    assert "[r]  (right: 13)" in text
    assert "Fact [1]." in text

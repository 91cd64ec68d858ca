"""Runs of rollouts: texts that are joined, groups and advantages."""

from __future__ import annotations

from typing import Any

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.service.batch.rollouts import Rollout as Written
from perception_reward.service.profiles.load import load_profiles
from perception_reward.service.report.rows import Row, row_of
from perception_reward.service.report.runs import run_of
from perception_reward.trainer_client.wire import Fact, ScoreItem

PROFILE = load_profiles()["perception-r1"]


def row(name: str, accuracy: float, perception: float, place: int = 1, **fields: Any) -> Row:
    components = {"format": 1.0, "accuracy": accuracy, "perception": perception, "repetition": 0.0}
    facts = [{"id": "f1", "verdict": "stated", "probability": 0.9, "span": [0, 6]}]
    score = 0.1 + 0.9 * accuracy + 0.7 * perception
    return row_of("r.jsonl", place, {"id": name, "score": score, "components": components, "facts": facts, **fields})


def test_advantages_are_those_of_the_group_and_step():
    rows = [row("a", 1, 1, group="g"), row("b", 0, 0, group="g"), row("c", 1, 1, group="g", step=2), row("d", 1, 0)]
    run = run_of("r", rows, PROFILE)
    assert [one.advantage for one in run.rollouts] == [pytest.approx(1.0), pytest.approx(-1.0), None, None]
    assert list(run.groups) == [(None, "g")]
    assert run.parts(run.rollouts[0]) == pytest.approx(
        {"format": 0.1, "accuracy": 0.9, "perception": 0.7, "repetition": 0.0}
    )


@pytest.mark.parametrize("in_order", [True, False])
def test_texts_are_joined_by_order_or_by_id(in_order: bool):
    fact = Fact(id="f1", text="AB has length 5.")
    items = [ScoreItem(id=name, group="g", response=f"AB = 5 {name}", facts=[fact], answer=5) for name in ("a", "b")]
    written = [Written(item, {"question": "Find x."}) for item in items]
    run = run_of("r", [row("a", 1, 1), row("b", 0, 1)], PROFILE, written=written if in_order else written[::-1])
    [first] = run.texts(run.rollouts[:1])
    assert (first.response, first.question, first.answer) == ("AB = 5 a", "Find x.", "5")
    assert (run.rollouts[0].group, run.rollouts[0].length, run.rollouts[0].numbers) == ((None, "g"), 8, 1)
    assert first.facts[0].text == "AB has length 5."
    assert len(run.groups) == 1


def test_annotations_give_question_answer_and_the_texts_of_facts():
    facts = [Fact(id="f1", text="AB has length 5."), Fact(id="f2", text="AB has length 7.", polarity="distractor")]
    facts.append(Fact(id="f3", text="AB is a segment.", origin="given"))
    about = Annotation(id="p", question="Find AB.", answer="5", facts=facts)
    run = run_of(
        "r", [row("a", 1, 1, extra={"annotation_id": "p", "response": "AB = 5"})], PROFILE, annotations={"p": about}
    )
    [one] = run.texts(run.rollouts)
    assert run.rollouts[0].lies is False
    assert (one.question, one.answer, one.response, one.false) == ("Find AB.", "5", "AB = 5", frozenset({"f2"}))
    assert one.idle == frozenset({"f3"})
    assert one.facts[0].text == "AB has length 5."


def test_scores_of_another_profile_are_counted():
    rows = [row("a", 1, 1), row("b", 1, 1)]
    assert run_of("r", rows, PROFILE).foreign == 0
    assert run_of("r", rows, load_profiles()["sum"]).foreign == 2

"""The model is asked about decided facts in the background, and no verdict changes by it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Sequence

import pytest

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.cascade.checks import MOST_UNDER_WAY, Checks, decides, packaged, read
from perception_reward.service.judges.symbolic.kinds import KINDS
from perception_reward.trainer_client.wire import Fact

FACT = Fact(id="f", text="Segment AB has length 5.")
DECIDED = [(FACT, Verdict("stated", 0.97))]


class Model:
    def __init__(self, outcome: Outcome | None) -> None:
        self.outcome = outcome
        self.asked: list[JudgeTask] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        self.asked += tasks
        await self.may_answer.wait()
        if self.outcome is None:
            raise ZeroDivisionError
        yield 0, (self.outcome,) * len(tasks[0].facts)


class Observer:
    def __init__(self) -> None:
        self.comparisons: Counter[tuple[str, str]] = Counter()

    def cascaded(self, stage: str, kind: str, facts: int) -> None: ...

    def compared(self, kind: str, result: str) -> None:
        self.comparisons[kind, result] += 1


def checks(model: Model, share: float, observer: Observer) -> Checks:
    return Checks(model, share, observer)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Verdict("stated", 0.6), "agreed"),
        (Verdict("absent", 0.1), "disagreed"),
        (Missing("judge_timeout"), "missing"),
    ],
)
async def test_agreement_is_counted_by_kind_and_a_missing_verdict_apart(outcome: Outcome, result: str):
    observer = Observer()
    check = checks(Model(outcome), 1.0, observer)
    check.consider(JudgeTask("AB = 5.", (FACT,)), DECIDED)
    await check.idle()
    assert observer.comparisons == {("length", result): 1}


async def test_about_the_asked_share_is_drawn_and_always_the_same_facts():
    drawn: list[set[str]] = []
    for _ in range(2):
        model = Model(Verdict("stated", 0.9))
        check = checks(model, 0.1, Observer())
        for n in range(2000):
            check.consider(JudgeTask(f"response {n}", (FACT,)), DECIDED)
            await check.idle()
        drawn.append({task.response for task in model.asked})
    assert drawn[0] == drawn[1]
    assert 140 < len(drawn[0]) < 260


async def test_nothing_is_asked_without_a_share():
    model = Model(Verdict("stated", 0.9))
    checks(model, 0.0, Observer()).consider(JudgeTask("AB = 5.", (FACT,)), DECIDED)
    assert model.asked == []


async def test_a_slow_model_makes_further_comparisons_skipped_and_closing_ends_those_under_way():
    model, observer = Model(Verdict("stated", 0.9)), Observer()
    model.may_answer.clear()
    check = checks(model, 1.0, observer)
    for n in range(MOST_UNDER_WAY + 3):
        check.consider(JudgeTask(f"response {n}", (FACT,)), DECIDED)
    assert observer.comparisons == {("length", "skipped"): 3}
    await check.aclose()
    assert observer.comparisons == {("length", "skipped"): 3}


async def test_an_error_in_a_comparison_is_logged_and_hurts_nobody(caplog: pytest.LogCaptureFixture):
    check = checks(Model(None), 1.0, Observer())
    with caplog.at_level(logging.ERROR):
        check.consider(JudgeTask("AB = 5.", (FACT,)), DECIDED)
        await check.idle()
    assert "comparison" in caplog.text


THRESHOLDS = read("[kinds.length]\nstated = 0.9\ncontradicted = 0.5\n")


@pytest.mark.parametrize(
    ("kind", "label", "certainty", "stands"),
    [
        ("length", "stated", 0.9, True),
        ("length", "stated", 0.89, False),
        ("length", "contradicted", 0.5, True),
        ("length", "absent", 1.0, False),
        ("count", "stated", 1.0, False),
    ],
)
def test_a_verdict_stands_from_its_kinds_and_labels_certainty_on(kind: str, label: str, certainty: float, stands: bool):
    assert decides(THRESHOLDS, kind, Verdict(label, 0.5, certainty=certainty)) is stands  # pyright: ignore[reportArgumentType]


def test_a_settled_verdict_always_stands():
    assert decides({}, "sentence", Verdict("contradicted", 0.1, certainty=0.0, settled=True))


def test_the_packaged_thresholds_are_of_known_kinds_and_leave_plain_sentences_to_the_model():
    assert packaged().keys() <= KINDS
    assert "sentence" not in packaged()
    assert packaged()["length"]["contradicted"] <= 0.9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[kinds.colour]\nstated = 0.9", "'colour'"),
        ("[kinds.length]\nstated = 1.1", "kinds.length: stated = 1.1"),
        ("[kinds.length]\nfalse = 0.9", "kinds.length: false"),
        ('[kinds.length]\nstated = "0.9"', "'0.9'"),
    ],
)
def test_a_wrong_entry_is_named(text: str, words: str):
    with pytest.raises(ValueError, match="kind") as raised:
        read(text)
    assert words in str(raised.value)

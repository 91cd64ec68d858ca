"""The rules decide what they are sure of, a scripted model the rest."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import pytest

from perception_reward.service.judges.base import Health, JudgeInfo, JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.cascade.checks import read
from perception_reward.service.judges.cascade.judge import LANES, CascadeJudge
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.trainer_client.wire import Fact

THRESHOLDS = read("[kinds.length]\nstated = 0.9\ncontradicted = 0.8\n[kinds.sentence]\n")
LENGTH = Fact(id="length", text="Segment AB has length 5.")
SCENE = Fact(id="scene", text="A man in a long coat waits for his friend at the corner of an old house.")
STATES = "AB = 5, as drawn."
MODELS = Verdict("stated", 0.97, certainty=0.97)


class Model:
    """A model that answers as told, in the tasks' order, and notes what it was asked."""

    def __init__(
        self, decide: Callable[[JudgeTask], Sequence[Outcome]] | None = None, together: bool = False, name: str = "m"
    ) -> None:
        self.decide = decide or (lambda task: [MODELS] * len(task.facts))
        self.together = together
        self.info = JudgeInfo("openai", name, "verdict", f"openai/verdict/{name}")
        self.batches: list[list[JudgeTask]] = []
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.closed = 0
        self.healthy = True

    async def judge(
        self, tasks: Sequence[JudgeTask], deadline: float
    ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
        self.batches.append(list(tasks))
        self.asked.set()
        try:
            await self.may_answer.wait()
            for index, task in enumerate(tasks):
                yield index, tuple(self.decide(task))
        finally:
            self.closed += 1

    @property
    def tasks(self) -> list[JudgeTask]:
        return [task for batch in self.batches for task in batch]

    async def health(self) -> Health:
        return Health(self.healthy)

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


class Observer:
    def __init__(self) -> None:
        self.stages: Counter[tuple[str, str]] = Counter()
        self.comparisons: Counter[tuple[str, str]] = Counter()

    def cascaded(self, stage: str, kind: str, facts: int) -> None:
        self.stages[stage, kind] += facts

    def compared(self, kind: str, result: str) -> None:
        self.comparisons[kind, result] += 1


def cascade(model: Model, **options: object) -> CascadeJudge:
    return CascadeJudge(SymbolicJudge(), model, **{"thresholds": THRESHOLDS, **options})  # pyright: ignore[reportArgumentType]


def soon(seconds: float = 30) -> float:
    return asyncio.get_running_loop().time() + seconds


async def outcomes(judge: CascadeJudge, tasks: Sequence[JudgeTask], deadline: float) -> list[tuple[Outcome, ...]]:
    found = {index: each async for index, each in judge.judge(tasks, deadline)}
    return [found[index] for index in range(len(tasks))]


def label(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Missing) else outcome.label


async def test_the_model_is_asked_only_what_the_rules_leave_over():
    model, observer = Model(), Observer()
    (found,) = await outcomes(cascade(model, observer=observer), [JudgeTask(STATES, (SCENE, LENGTH), "g")], soon())
    assert label(found[0]) == "stated"
    assert (label(found[1]), found[1].certainty) == ("stated", 0.97)  # pyright: ignore[reportAttributeAccessIssue]
    assert model.tasks == [JudgeTask(STATES, (SCENE,), "g")]
    assert observer.stages == {("rules", "length"): 1, ("model", "sentence"): 1}


async def test_a_response_that_the_rules_decide_whole_asks_no_model():
    model = Model()
    found = await outcomes(cascade(model), [JudgeTask(STATES, (LENGTH,)), JudgeTask("AB = 7.", (LENGTH,))], soon())
    assert [[label(one) for one in each] for each in found] == [["stated"], ["contradicted"]]
    assert model.batches == []


async def test_a_response_without_facts_is_answered_at_once():
    model = Model()
    assert await outcomes(cascade(model), [JudgeTask(STATES, ())], soon()) == [()]
    assert model.batches == []


async def test_a_silent_model_leaves_its_facts_missing_and_the_others_decided():
    model = Model(lambda task: [Missing("judge_unavailable")] * len(task.facts))
    observer = Observer()
    (found,) = await outcomes(cascade(model, observer=observer), [JudgeTask(STATES, (SCENE, LENGTH))], soon())
    assert [label(one) for one in found] == ["judge_unavailable", "stated"]
    assert observer.stages == {("none", "sentence"): 1, ("rules", "length"): 1}


async def test_a_reader_that_was_cut_off_leaves_its_facts_missing_and_asks_no_model():
    model = Model()
    found = await outcomes(cascade(model), [JudgeTask(STATES, (SCENE, LENGTH))], soon(-1))
    assert found == [(Missing("judge_timeout"),) * 2]
    assert model.batches == []


async def test_listing_every_value_is_settled_against_the_fact_however_gladly_the_model_agrees():
    model = Model()
    responses = ["AB = 4. AB = 5. AB = 6.", "AB is 4, 5 or 6.", "AB = 5. AB is not 5."]
    found = await outcomes(cascade(model, thresholds={}), [JudgeTask(text, (LENGTH,)) for text in responses], soon())
    assert [label(one) for each in found for one in each] == ["contradicted", "absent", "contradicted"]
    assert model.batches == []


async def test_a_calibrated_models_probabilities_are_not_corrected_again():
    unsure = Verdict("contradicted", 0.2, certainty=0.45, contradiction=0.45)
    asked = [JudgeTask("The old house is red.", (SCENE,))]
    plain, calibrated = [
        await outcomes(cascade(Model(lambda task: [unsure], name=name)), asked, soon())
        for name in ("m", "m+calibration/0123")
    ]
    assert plain != calibrated


async def test_decided_responses_do_not_wait_for_the_model():
    model = Model()
    model.may_answer.clear()
    tasks = [JudgeTask(STATES, (SCENE,)), JudgeTask(STATES, (LENGTH,))]
    async with aclosing(cascade(model).judge(tasks, soon())) as judged:
        index, _ = await anext(judged)
        assert index == 1
        await model.asked.wait()
        model.may_answer.set()
        assert [index async for index, _ in judged] == [0]


async def test_what_gathers_while_the_model_works_goes_to_it_together():
    model = Model()
    model.may_answer.clear()

    class Rules(SymbolicJudge):
        async def judge(
            self, tasks: Sequence[JudgeTask], deadline: float
        ) -> AsyncGenerator[tuple[int, tuple[Outcome, ...]]]:
            async for index, outcomes in super().judge(tasks, deadline):
                yield index, outcomes
            model.may_answer.set()

    tasks = [JudgeTask(f"response {n}", (SCENE,)) for n in range(200)]
    found = await outcomes(CascadeJudge(Rules(), model, thresholds=THRESHOLDS), tasks, soon())
    assert [label(one) for (one,) in found] == ["stated"] * 200
    assert sorted(task.response for task in model.tasks) == sorted(task.response for task in tasks)
    assert len(model.batches) <= LANES + 1
    assert model.closed == len(model.batches)


async def test_closing_the_verdicts_takes_the_models_work_back():
    model = Model()
    model.may_answer.clear()
    stream = cascade(model).judge([JudgeTask(STATES, (SCENE,)), JudgeTask(STATES, (LENGTH,))], soon())
    await anext(stream)
    await model.asked.wait()
    await stream.aclose()
    assert 1 <= model.closed == len(model.batches) <= LANES


async def test_a_verdict_is_the_same_alone_and_in_a_batch():
    tasks = [JudgeTask(text, (SCENE, LENGTH)) for text in (STATES, "AB = 7.", "A man waits.", "AB is 5 or 6.")]
    together = await outcomes(cascade(Model()), tasks, soon())
    alone = [(await outcomes(cascade(Model()), [task], soon()))[0] for task in tasks]
    assert together == alone


async def test_a_programming_error_of_the_model_is_raised():
    def fail(task: JudgeTask) -> Sequence[Outcome]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await outcomes(cascade(Model(fail)), [JudgeTask(STATES, (SCENE,))], soon())


async def test_the_fingerprint_follows_both_judges_and_the_thresholds():
    plain = cascade(Model()).info
    assert plain.fingerprint.startswith("cascade/")
    assert (plain.name, plain.model, plain.method) == ("cascade", "m", "verdict")
    assert cascade(Model()).info == plain
    assert cascade(Model(name="other")).info.fingerprint != plain.fingerprint
    assert cascade(Model(), thresholds={}).info.fingerprint != plain.fingerprint
    rules = SymbolicJudge()
    rules.info = JudgeInfo("symbolic", None, "rules", "other rules")
    changed = CascadeJudge(rules, Model(), thresholds=THRESHOLDS).info  # pyright: ignore[reportArgumentType]
    assert changed.fingerprint != plain.fingerprint


async def test_the_scope_and_the_health_are_the_models():
    model = Model(together=True)
    judge = cascade(model)
    assert judge.together
    assert (await judge.health()).ok
    model.healthy = False
    assert not (await judge.health()).ok


async def test_a_model_that_decides_facts_together_is_asked_all_that_are_left_together():
    model = Model(together=True)
    other = Fact(id="other", text="An old woman with a red scarf feeds some birds near the station.")
    await outcomes(cascade(model), [JudgeTask(STATES, (SCENE, LENGTH, other))], soon())
    assert [[fact.id for fact in task.facts] for task in model.tasks] == [["scene", "other"]]

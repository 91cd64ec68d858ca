"""The judge with an engine that the test scripts and methods that are real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.llm.engine import Choice, JudgeFailure, Written
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.method import Method
from perception_reward.service.judges.llm.paper import PaperMethod
from perception_reward.service.judges.llm.verdict import VerdictMethod
from perception_reward.trainer_client.wire import Fact

FACTS = tuple(Fact(id=f"f{n}", text=f"Segment AB has length {n}.") for n in range(3))
TASK = JudgeTask("AB = 5", FACTS)


@pytest.fixture
def judge_of(tokenizer_folder: Path) -> Callable[..., LLMJudge]:
    def make(engine: Any, method: Method | None = None) -> LLMJudge:
        return LLMJudge(engine, method or VerdictMethod(), tokenizer=str(tokenizer_folder))

    return make


async def outcomes(judge: LLMJudge, tasks: list[JudgeTask], seconds: float = 10) -> list[tuple[Outcome, ...]]:
    """In the order of the tasks."""
    await judge.start()
    deadline = asyncio.get_running_loop().time() + seconds
    found = {index: each async for index, each in judge.judge(tasks, deadline)}
    return [found[index] for index in range(len(tasks))]


async def test_every_task_is_answered_with_one_outcome_per_fact(judge_of: Any, scripted_engine: Any):
    tasks = [JudgeTask(f"response {n}", FACTS[: n % 4]) for n in range(20)]
    found = await outcomes(judge_of(scripted_engine()), tasks)
    assert [len(each) for each in found] == [len(task.facts) for task in tasks]
    assert all(isinstance(outcome, Verdict) for each in found for outcome in each)


async def test_a_task_without_facts_asks_nothing(judge_of: Any, scripted_engine: Any):
    engine = scripted_engine()
    assert await outcomes(judge_of(engine), [JudgeTask("text", ())]) == [()]
    assert not engine.asks


async def test_very_many_facts_are_asked_about_in_several_asks_behind_one_prefix(
    judge_of: Any, scripted_engine: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(VerdictMethod, "most_facts", 2)
    engine = scripted_engine()
    many = JudgeTask("AB = 5", tuple(Fact(id=f"f{n}", text=f"Segment AB has length {n}.") for n in range(5)))
    (found,) = await outcomes(judge_of(engine), [many])
    assert len(found) == 5
    assert [len(ask.suffixes) for ask in engine.asks] == [2, 2, 1]
    assert len({ask.shared for ask in engine.asks}) == 1


async def test_after_a_failure_the_answers_of_earlier_asks_count(
    judge_of: Any, scripted_engine: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(VerdictMethod, "most_facts", 1)

    def once(ask: Choice) -> Any:
        if len(engine.asks) > 1:
            raise JudgeFailure("judge_unavailable", "gone")
        return ({ask.answers[0]: -0.1},)

    engine = scripted_engine(answer=once)
    (found,) = await outcomes(judge_of(engine), [TASK])
    assert isinstance(found[0], Verdict)
    assert found[1:] == (Missing("judge_unavailable"),) * 2
    assert len(engine.asks) == 2


async def test_one_tasks_failure_is_its_own(judge_of: Any, scripted_engine: Any):
    def sometimes(ask: Choice) -> Any:
        if len(ask.suffixes) == 2:
            raise JudgeFailure("judge_unparseable", "nonsense")
        return ({ask.answers[0]: -0.1},) * len(ask.suffixes)

    found = await outcomes(judge_of(scripted_engine(answer=sometimes)), [TASK, JudgeTask("b", FACTS[:2]), TASK])
    assert found[1] == (Missing("judge_unparseable"),) * 2
    assert all(isinstance(outcome, Verdict) for outcome in (*found[0], *found[2]))


async def test_a_reply_that_is_too_short_is_unparseable(judge_of: Any, scripted_engine: Any):
    (found,) = await outcomes(judge_of(scripted_engine(answer=lambda ask: ({ask.answers[0]: -0.1},))), [TASK])
    assert found == (Missing("judge_unparseable"),) * 3


async def test_what_has_no_answer_at_the_deadline_times_out(judge_of: Any, scripted_engine: Any):
    engine = scripted_engine()
    engine.may_answer.clear()
    found = await outcomes(judge_of(engine), [TASK] * 3, seconds=0.2)
    assert found == [(Missing("judge_timeout"),) * 3] * 3
    assert engine.cancelled.is_set()


async def test_no_more_asks_are_under_way_than_the_engine_has_use_for(judge_of: Any, scripted_engine: Any):
    engine = scripted_engine(capacity=2)
    await outcomes(judge_of(engine), [TASK] * 20)
    assert engine.most_running == 4


async def test_closing_the_iterator_takes_the_work_back(judge_of: Any, scripted_engine: Any):
    engine = scripted_engine()
    engine.may_answer.clear()
    judge = judge_of(engine)
    await judge.start()
    async with aclosing(judge.judge([TASK] * 3, asyncio.get_running_loop().time() + 60)) as results:
        first = asyncio.ensure_future(anext(results))
        await engine.asked.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert engine.cancelled.is_set()
    assert engine.running == 0


async def test_responses_of_a_group_share_their_affinity(judge_of: Any, scripted_engine: Any):
    engine = scripted_engine()
    tasks = [JudgeTask("one", FACTS, "g"), JudgeTask("two", FACTS, "g"), JudgeTask("three", FACTS)]
    await outcomes(judge_of(engine), tasks)
    assert sorted(engine.affinities) == ["g", "g", "three"]


async def test_a_method_that_writes_is_read_from_text(judge_of: Any, scripted_engine: Any):
    engine = scripted_engine(answer=lambda ask: Written("<info1>1</info1><info2>0</info2>"))
    (found,) = await outcomes(judge_of(engine, PaperMethod()), [TASK])
    assert found == (Verdict("stated", 1.0), Verdict("absent", 0.0), Missing("judge_unparseable"))


@pytest.mark.parametrize("method", [VerdictMethod, PaperMethod])
async def test_a_response_beyond_the_limit_is_reported_as_truncated(
    judge_of: Any, scripted_engine: Any, method: type[VerdictMethod | PaperMethod]
):
    def answer(ask: Any) -> Any:
        return ({ask.answers[0]: -0.1},) if isinstance(ask, Choice) else Written("<info1>1</info1>")

    judge = judge_of(scripted_engine(answer=answer), method(max_response_tokens=50))
    short, long = await outcomes(judge, [JudgeTask("AB", FACTS[:1]), JudgeTask("AB " * 100, FACTS[:1])])
    assert [outcome.truncated for outcome in (*short, *long) if isinstance(outcome, Verdict)] == [False, True]


async def test_it_starts_and_closes_its_engine(judge_of: Any, scripted_engine: Any):
    engine = scripted_engine()
    judge = judge_of(engine)
    await judge.start()
    assert engine.started
    await judge.aclose()
    assert engine.closed


async def test_a_model_that_cannot_be_asked_starts_no_engine(scripted_engine: Any, make_tokenizer: Any):
    engine = scripted_engine()
    with pytest.raises(ValueError, match="no chat template"):
        await LLMJudge(engine, VerdictMethod(), tokenizer=str(make_tokenizer(chat_template=None))).start()
    assert not engine.started


def test_the_fingerprint_names_engine_method_and_model(judge_of: Any, scripted_engine: Any):
    one, same, other, method = (
        judge_of(scripted_engine(model), each).info.fingerprint
        for model, each in (("m", None), ("m", None), ("n", None), ("m", PaperMethod()))
    )
    assert one == same
    assert len({one, other, method}) == 3
    assert one.startswith("scripted/verdict/")
    assert method.startswith("scripted/paper/")


def test_the_fingerprint_changes_with_how_the_engine_runs_the_model(judge_of: Any, scripted_engine: Any):
    plain, quantised = scripted_engine("m"), scripted_engine("m")
    quantised.identity = {"quantization": "fp8"}
    assert judge_of(plain, None).info.fingerprint != judge_of(quantised, None).info.fingerprint


@pytest.mark.parametrize("method", [VerdictMethod, PaperMethod])
async def test_the_fingerprint_changes_with_the_chat_template(
    scripted_engine: Any, make_tokenizer: Callable[..., Path], method: Callable[[], Method]
):
    async def started(folder: Path) -> str:
        judge = LLMJudge(scripted_engine(), method(), tokenizer=str(folder))
        await judge.start()
        return judge.info.fingerprint

    template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
    folder = make_tokenizer()
    assert await started(folder) == await started(folder) != await started(make_tokenizer(chat_template=template))


async def test_the_fingerprint_changes_with_the_vocabulary(scripted_engine: Any, make_tokenizer: Callable[..., Path]):
    async def started(folder: Path) -> str:
        judge = LLMJudge(scripted_engine(), VerdictMethod(), tokenizer=str(folder))
        await judge.start()
        return judge.info.fingerprint

    assert await started(make_tokenizer()) != await started(make_tokenizer(words="Unknown No Yes"))

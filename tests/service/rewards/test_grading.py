from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from perception_reward.service.processes.outcomes import TimedOut
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.service.rewards.grading import PRELOAD, AccuracyGrader, Question
from perception_reward.trainer_client.reference import options_of

CHOICES = options_of(["5 cm", "7", "(1,2)", "red one", "x^2"])


@pytest.fixture
async def grader() -> AsyncIterator[AccuracyGrader]:
    pool = WorkerPool(2, preload=PRELOAD)
    await pool.start()
    yield AccuracyGrader(pool)
    await pool.aclose()


async def test_trivial_repeated_and_algebraic_questions_are_all_graded(grader: AccuracyGrader) -> None:
    algebra = Question("x^2+2x+1", ("(x+1)^2",))
    questions = [Question("5", ("5",)), algebra, Question("B", ("A",)), algebra, Question(r"\sqrt{8}", ("2*sqrt(2)",))]
    deadline = asyncio.get_running_loop().time() + 60
    found = {index: grade async for index, grade in grader.grade_many(questions, deadline)}
    assert found == {0: True, 1: True, 2: False, 3: True, 4: True}


async def test_what_needs_algebra_past_the_deadline_is_timed_out(grader: AccuracyGrader) -> None:
    questions = [Question("5", ("5",)), Question("x^2+2x+1", ("(x+1)^2",))]
    deadline = asyncio.get_running_loop().time() - 1
    found = {index: grade async for index, grade in grader.grade_many(questions, deadline)}
    assert found == {0: True, 1: TimedOut()}


async def longest_hold(work: Coroutine[Any, Any, object]) -> float:
    """The most computing time between two turns that others get while `work` runs in the event loop."""
    task = asyncio.ensure_future(work)
    longest, before = 0.0, time.thread_time()
    while not task.done():
        await asyncio.sleep(0)
        longest, before = max(longest, time.thread_time() - before), time.thread_time()
    await task
    return longest


@pytest.mark.parametrize(
    "make",
    [
        lambda n: Question(f"{n} cm or " + "5 cm " * 380, ("B",), CHOICES),
        lambda n: Question(f"{n} " + "a " * 20, ("7 " * 100_000,), options_of(["5 cm", "7 " * 100_000])),
        lambda n: Question(f"{n} cm/cm/cm/cm/cm/cm/cm/cm/cm/cm", ("B",), CHOICES),
    ],
    ids=["long answers", "long references", "many short ones"],
)
async def test_grading_leaves_others_their_turns(grader: AccuracyGrader, make: Callable[[int], Question]) -> None:
    questions = [make(number) for number in range(64)]

    async def graded() -> list[tuple[int, object]]:
        deadline = asyncio.get_running_loop().time() + 8
        return [pair async for pair in grader.grade_many(questions, deadline)]

    # All at once they take seconds; one slow turn on a busy machine takes a tenth of one.
    assert await longest_hold(graded()) < 0.4


async def test_of_a_long_reference_the_beginning_counts(grader: AccuracyGrader) -> None:
    option = "the red one " * 500
    choices = options_of(["5", option])
    questions = [Question(answer, (option,), choices) for answer in ("B", "A")]
    questions.append(Question(option, (option,)))
    deadline = asyncio.get_running_loop().time() + 60
    found = {index: grade async for index, grade in grader.grade_many(questions, deadline)}
    assert found == {0: True, 1: False, 2: True}


async def test_a_parity_grade_that_hangs_is_missing_and_not_wrong() -> None:
    pool = WorkerPool(1, time_limit=1, preload=PRELOAD)
    await pool.start()
    question = Question(f"<answer>\\boxed{'{' * 60}71{'}' * 60}</answer>", ("71",), mode="parity")
    deadline = asyncio.get_running_loop().time() + 30
    found = [pair async for pair in AccuracyGrader(pool).grade_many([question], deadline)]
    await pool.aclose()
    assert found == [(0, TimedOut())]


def test_a_digest_changes_with_every_part_of_the_question() -> None:
    questions = [
        Question("1", ("2",)), Question("12", ("",)), Question("1", ("2",), (("a", "b"),)),
        Question("1", ("2",), (("", "ab"),)), Question("\ud800", ("2",)), Question("2", ("1",)),
        Question("1", ("2", "3")), Question("1", ("2",), (("3", ""),)), Question("1", ("2",), tolerance=0.05),
    ]  # fmt: skip
    assert len({question.digest() for question in questions}) == len(questions)
    assert Question("1", ("2",)).digest() == Question("1", ("2",)).digest()

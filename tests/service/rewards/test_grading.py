from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from perception_reward.service.rewards.grading import PRELOAD, AccuracyGrader, Question
from perception_reward.service.workers import TimedOut, WorkerPool


@pytest.fixture
async def grader() -> AsyncIterator[AccuracyGrader]:
    pool = WorkerPool(2, preload=PRELOAD)
    await pool.start()
    yield AccuracyGrader(pool)
    await pool.aclose()


async def test_trivial_repeated_and_algebraic_questions_are_all_graded(grader: AccuracyGrader) -> None:
    algebra = Question("x^2+2x+1", "(x+1)^2")
    questions = [Question("5", "5"), algebra, Question("B", "A"), algebra, Question(r"\sqrt{8}", "2*sqrt(2)")]
    deadline = asyncio.get_running_loop().time() + 60
    found = {index: grade async for index, grade in grader.grade_many(questions, deadline)}
    assert found == {0: True, 1: True, 2: False, 3: True, 4: True}


async def test_what_needs_algebra_past_the_deadline_is_timed_out(grader: AccuracyGrader) -> None:
    questions = [Question("5", "5"), Question("x^2+2x+1", "(x+1)^2")]
    deadline = asyncio.get_running_loop().time() - 1
    found = {index: grade async for index, grade in grader.grade_many(questions, deadline)}
    assert found == {0: True, 1: TimedOut()}


def test_a_digest_changes_with_every_part_of_the_question() -> None:
    questions = [
        Question("1", "2"), Question("12", ""), Question("1", "2", ("a", "b")), Question("1", "2", ("ab",)),
        Question("\ud800", "2"), Question("2", "1"),
    ]  # fmt: skip
    assert len({question.digest() for question in questions}) == len(questions)
    assert Question("1", "2").digest() == Question("1", "2").digest()

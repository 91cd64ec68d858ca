"""What the accuracy reward credits on real model outputs, and how fast: `python tests/benchmarks/accuracy.py`.

Two benchmarks' own marks are the yardstick: MATH-V chain-of-thought outputs and MathVista responses. Both ways see
the same response; a response that gives no answer we can find is not credited. `--show N` prints N disagreements.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from places import DATA

from perception_reward.service.processes.outcomes import TimedOut
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.service.rewards.answer import extract_answer
from perception_reward.service.rewards.grading import PRELOAD, AccuracyGrader, Question, grade_question
from perception_reward.service.scoring.responses import stripped
from perception_reward.trainer_client.reference import options_of


@dataclass(frozen=True)
class Row:
    name: str
    response: str
    reference: str
    choices: tuple[str, ...] | None
    extraction: str
    right: bool


def math_v() -> Iterator[Row]:
    problems = {row["id"]: row for row in read(DATA / "math_v" / "problems.jsonl")}
    for path in sorted((DATA / "math_v").glob("*-cot.jsonl")):
        for row in read(path):
            choices = tuple(problems[row["id"]]["options"]) or None
            yield Row(path.stem, row["response"], row["answer"], choices, row["model_answer"] or "", row["correct"])


def mathvista() -> Iterator[Row]:
    for row in read(DATA / "mathvista" / "responses.jsonl"):
        choices = tuple(row["choices"]) if row["choices"] else None
        yield Row(row["model"], row["response"], row["answer"], choices, row["extraction"] or "", row["correct"])


def read(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def question(answer: str, row: Row) -> Question:
    return Question(answer, (row.reference,), options_of(row.choices) if row.choices else None)


def reference_way(pair: tuple[str, str]) -> bool:
    """What the published reward does: math-verify on the whole response, with its default extraction."""
    from math_verify import parse, verify

    response, reference = pair
    return verify(parse(reference, parsing_timeout=None), parse(response, parsing_timeout=None), timeout_seconds=None)


async def reference_grades(pool: WorkerPool, rows: list[Row]) -> list[bool]:
    deadline = asyncio.get_running_loop().time() + 600
    found = [False] * len(rows)
    pairs = [(row.response, row.reference) for row in rows]
    async for index, outcome in pool.map(reference_way, pairs, deadline=deadline):
        found[index] = outcome is True
    return found


async def our_grades(pool: WorkerPool, rows: list[Row], answers: list[str | None]) -> list[bool | TimedOut]:
    asked = [index for index, answer in enumerate(answers) if answer is not None]
    questions = [question(answers[index] or "", rows[index]) for index in asked]
    found: list[bool | TimedOut] = [False] * len(rows)
    deadline = asyncio.get_running_loop().time() + 600
    async for position, outcome in AccuracyGrader(pool).grade_many(questions, deadline):
        found[asked[position]] = outcome
    return found


def share(grades: list, rows: list[Row], right: bool) -> str:
    chosen = [grade is True for grade, row in zip(grades, rows, strict=True) if row.right is right]
    return f"{sum(chosen)} of {len(chosen)} ({100 * sum(chosen) / max(1, len(chosen)):.1f} %)"


async def quality(pool: WorkerPool, name: str, rows: list[Row], answers: list[str | None], show: int) -> None:
    ours = await our_grades(pool, rows, answers)
    theirs = await reference_grades(pool, rows)
    found = [row.right for row, answer in zip(rows, answers, strict=True) if answer is not None]
    print(f"\n{name}: an answer is found in {sum(found)} of the right and {len(found) - sum(found)} of the wrong")
    for way, grades in (("reference way", theirs), ("ours", ours)):
        print(f"  {way:14} credits right {share(grades, rows, True)}, wrong {share(grades, rows, False)}")
    print(f"  timed out: {sum(isinstance(grade, TimedOut) for grade in ours)}")
    shuffled = list(zip(rows, answers, ours, strict=True))
    random.Random(5).shuffle(shuffled)
    for right in (True, False):
        odd = [(row, answer) for row, answer, grade in shuffled if answer and row.right is right is not grade]
        print(f"  {'missed' if right else 'credited'} against the benchmark: {len(odd)}")
        for row, answer in odd[:show]:
            print(
                "   ", ascii(answer)[:90], "| gold", ascii(row.reference), "|", ascii(row.extraction)[:40], row.choices
            )


def timing(rows: list[Row], answers: list[str | None]) -> None:
    spent: list[float] = []
    for row, answer in zip(rows, answers, strict=True):
        if answer is not None:
            started = time.perf_counter()
            grade_question(question(answer, row))
            spent.append(1000 * (time.perf_counter() - started))
    spent.sort()
    print(f"\none grade: median {statistics.median(spent):.3f} ms, p99 {spent[len(spent) * 99 // 100]:.1f} ms")


async def throughput(rows: list[Row], answers: list[str | None]) -> None:
    given = [(row, answer) for row, answer in zip(rows, answers, strict=True) if answer is not None]
    questions = [question(answer, row) for row, answer in given]
    for workers in (1, 2):
        pool = WorkerPool(workers, preload=PRELOAD)
        await pool.start()
        deadline = asyncio.get_running_loop().time() + 600
        started = time.perf_counter()
        async for _ in AccuracyGrader(pool).grade_many(questions, deadline):
            pass
        print(f"{workers} workers: {len(questions) / (time.perf_counter() - started):.0f} answers/s")
        started = time.perf_counter()
        async for _ in pool.map(abs, range(20_000), deadline=deadline):
            pass
        print(f"{workers} workers: {20_000 / (time.perf_counter() - started):.0f} trivial payloads/s")
        await pool.aclose()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--rows", type=int, default=3000, help="of each benchmark, drawn with a fixed seed")
    parser.add_argument("--skip-speed", action="store_true")
    options = parser.parse_args()
    pool = WorkerPool(2, preload=(*PRELOAD, "math_verify"))
    await pool.start()
    everything: list[tuple[Row, str | None]] = []
    for name, source in (("MATH-V", math_v), ("MathVista", mathvista)):
        rows = list(source())
        rows = random.Random(3).sample(rows, min(options.rows, len(rows)))
        answers = [extract_answer(stripped(row.response)[0]) for row in rows]
        await quality(pool, name, rows, answers, options.show)
        everything += zip(rows, answers, strict=True)
        if name == "MathVista":
            extracted = [row.extraction or None for row in rows]
            await quality(pool, "MathVista, the benchmark's extraction boxed", boxed(rows), extracted, options.show)
    await pool.aclose()
    if not options.skip_speed:
        sample = random.Random(7).sample(everything, min(3000, len(everything)))
        timing([row for row, _ in sample], [answer for _, answer in sample])
        await throughput([row for row, _ in sample], [answer for _, answer in sample])


def boxed(rows: list[Row]) -> list[Row]:
    return [Row(r.name, f"\\boxed{{{r.extraction}}}", r.reference, r.choices, r.extraction, r.right) for r in rows]


if __name__ == "__main__":
    # workers can only name functions of an importable module
    asyncio.run(importlib.import_module("accuracy").main())

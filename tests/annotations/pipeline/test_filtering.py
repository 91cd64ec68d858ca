"""Trajectories that end right stay, those of lucky guessers and of problems without a reference by agreement."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from perception_reward.annotations.model import Provenance
from perception_reward.annotations.pipeline.filtering import (
    NO_AGREEMENT,
    NO_ANSWER,
    NO_MAJORITY,
    NO_REFERENCE,
    UNGRADED,
    WRONG,
    Attempt,
    Filtered,
    Yield,
    filtered,
)
from perception_reward.annotations.pipeline.journal import Journal
from perception_reward.annotations.pipeline.rows import Trajectory, to_line


class LastWord:
    """The last word is the answer, if it is a number; 13 cannot be graded."""

    version = "1"

    def __init__(self) -> None:
        self.graded: list[Attempt] = []

    def answer_of(self, response: str) -> str | None:
        last = response.split()[-1]
        return last if last.isdecimal() else None

    async def grade(self, attempts: Sequence[Attempt]) -> list[bool | None]:
        self.graded += attempts
        return [None if "13" in one.response else self.answer_of(one.response) == str(one.answer) for one in attempts]


def trajectory(name: str, response: str, answer: str | None = "5", sample: int = 0, model: str = "m") -> Trajectory:
    made = Provenance(source="set", model=model)
    return Trajectory(id=name, question="?", answer=answer, sample=sample, response=response, provenance=made)


def run(folder: Path, rows: Sequence[Trajectory], agreement: float | None = None) -> tuple[list[Filtered], LastWord]:
    path, grader = folder / "t.jsonl", LastWord()
    path.write_text("".join(to_line(row) + "\n" for row in rows), encoding="utf-8")

    async def main() -> list[Filtered]:
        with Journal.opened(folder / "journal", step="filter", began="d") as journal:
            return [group async for group in filtered(path, grader, journal, agreement=agreement)]

    return asyncio.run(main()), grader


def test_what_is_right_stays_and_the_rest_is_told_why(tmp_path: Path) -> None:
    rows = [
        trajectory("a", "so 5"),
        trajectory("b", "so 6"),
        trajectory("a", "so 7", sample=1),
        trajectory("c", "who knows"),
        trajectory("d", "so 13"),
        trajectory("e", "so 5", answer=None),
    ]
    groups, grader = run(tmp_path, rows)
    assert [[one.response for one in group.kept] for group in groups] == [["so 5"], [], [], [], []]
    assert [[why for _, why in group.dropped] for group in groups] == [
        [WRONG],
        [WRONG],
        [NO_ANSWER],
        [UNGRADED],
        [NO_REFERENCE],
    ]
    assert len(grader.graded) == 5
    # What could not be graded is tried again, and nothing else.
    again, grader = run(tmp_path, rows)
    assert (again, [one.response for one in grader.graded]) == (groups, ["so 13"])


def test_agreement_drops_the_lucky_guess_among_wrong_answers(tmp_path: Path) -> None:
    rows = [trajectory("a", f"so {number}", sample=number) for number in (5, 6, 7)]
    [group], _ = run(tmp_path, rows, agreement=0.5)
    assert [why for _, why in group.dropped] == [NO_AGREEMENT, WRONG, WRONG]


def test_without_a_reference_most_answers_are_one_where_enough_agree(tmp_path: Path) -> None:
    def rows(*answers: int) -> list[Trajectory]:
        return [trajectory("a", f"so {one}", None, sample) for sample, one in enumerate(answers)]

    [group], _ = run(tmp_path, rows(5, 6, 6), agreement=0.6)
    assert [one.response for one in group.kept] == ["so 6", "so 6"]
    [group], _ = run(tmp_path, rows(5, 6, 7), agreement=0.6)
    assert [why for _, why in group.dropped] == [NO_MAJORITY, WRONG, WRONG]


def test_the_yield_is_told_by_source(tmp_path: Path) -> None:
    rows = [trajectory("a", "so 5"), trajectory("a", "so 6", sample=1), trajectory("b", "so 5", model="n")]
    found = Yield()
    for group in run(tmp_path, rows)[0]:
        found.add(group)
    assert list(found.lines()) == [
        "2 of 3 trajectories kept (66.7%)",
        "  set, m: 1 of 2 (50.0%), of 1 problems",
        "  set, n: 1 of 1 (100.0%), of 1 problems",
        "1 dropped: its answer is wrong",
    ]

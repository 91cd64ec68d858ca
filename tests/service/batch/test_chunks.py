from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from perception_reward.annotations.faults import LineError
from perception_reward.service.batch.chunks import Asking, Chunk, Tally, score_chunk
from perception_reward.service.batch.layouts import OURS
from perception_reward.trainer_client.missing import missing_result
from perception_reward.trainer_client.wire import Components, ItemResult, ScoreItem

FACTS = [{"id": "f", "text": "AB is 5."}]


def chunk(*records: Any) -> Chunk:
    return Chunk(0, "a.jsonl", "line", OURS, list(enumerate(records, start=1)), (0, len(records)))


def rows(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": f"r-{number}", "response": "AB = 5", "facts": FACTS, **fields} for number in range(count)]


class Recorded:
    """Scores by the length of the response, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int | None, int]] = []

    async def score(self, items: Sequence[ScoreItem], step: int | None) -> list[ItemResult]:
        self.asked.append((step, len(items)))
        parts = Components(format=1.0, accuracy=None, perception=None, repetition=0.0)
        return [
            missing_result(item.id, "judge_timeout")
            if item.response == "slow"
            else ItemResult(
                id=item.id, status="ok", score=len(item.response), components=parts, facts=None, reason=None
            )
            for item in items
        ]


async def test_rollouts_of_a_step_are_asked_together_and_results_keep_their_order():
    scoring = Recorded()
    records = [{"id": str(number), "response": "x" * number, "step": number % 2} for number in range(5)]
    scored = await score_chunk(chunk(*records), Asking(), scoring)
    found = [json.loads(line) for line in scored.results[0].splitlines()]
    assert [(one["id"], one["score"], one["step"]) for one in found] == [(str(n), n, n % 2) for n in range(5)]
    assert scoring.asked == [(0, 3), (1, 2)]
    await score_chunk(chunk(*records), Asking(step=7), scoring)
    assert scoring.asked[2:] == [(7, 5)]


async def test_missing_rows_have_all_that_asking_again_needs_and_faulty_ones_say_why():
    records = [
        {"response": "x"},
        LineError(2, "", "not JSON"),
        {"id": "s", "response": "slow", "answer": "5", "model": "m", "step": 3},
    ]
    scored = await score_chunk(chunk(*records), Asking(), Recorded())
    faulty, missing = scored.missing
    assert (faulty["line"], faulty["reason"], faulty["place"]) == (None, "unreadable", "a.jsonl line 2")
    assert missing == {
        "line": 1,
        "id": "s",
        "reason": "judge_timeout",
        "place": "a.jsonl line 3",
        "step": 3,
        "group": None,
        "item": {"id": "s", "response": "slow", "answer": "5"},
        "extra": {"model": "m", "step": 3},
    }
    assert scored.count == 2


def result(perception: float | None, score: float | None, reason: str | None = None) -> ItemResult:
    parts = Components(format=1.0, accuracy=None, perception=perception, repetition=0.0)
    status = "ok" if reason is None else "missing"
    return ItemResult(id=None, status=status, score=score, components=parts, facts=None, reason=reason)


def test_means_are_over_those_that_have_a_value_and_missing_is_no_zero():
    tally = Tally()
    tally.add([result(1.0, 0.8), result(0.5, 0.4)])
    tally.add([result(None, None, "judge_timeout")])
    assert (tally.items, tally.missing, tally.reasons) == (3, 1, {"judge_timeout": 1})
    assert tally.mean("perception") == 0.75
    assert tally.mean("score") == pytest.approx(0.6)
    assert tally.mean("accuracy") is None
    assert (tally.given["format"], tally.given["score"]) == (3, 2)

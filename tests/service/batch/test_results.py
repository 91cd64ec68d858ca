from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from perception_reward.annotations.faults import RecordFileError
from perception_reward.service.batch.results import read_results, to_line
from perception_reward.trainer_client.wire import Components, ItemResult

PARTS = Components(format=1.0, accuracy=None, perception=None, repetition=0.0)
RESULT = ItemResult(id="r", status="ok", score=0.1, components=PARTS, facts=None, reason=None)


def test_a_line_is_the_result_and_what_was_carried_along(tmp_path: Path):
    extra = {"score": 7, "day": date(2026, 1, 2), "loss": [float("nan")], "money": Decimal("1.5"), "text": "\ud800\n"}
    line = to_line(RESULT, extra)
    assert line.count("\n") == 1
    found = json.loads(line)
    assert found.pop("extra") == {"score": 7, "day": "2026-01-02", "loss": [None], "money": "1.5", "text": "\ud800\n"}
    assert found == json.loads(to_line(RESULT, {})) == RESULT.model_dump(mode="json")
    (tmp_path / "results.jsonl").write_text(to_line(RESULT, {"a": 1}) + to_line(RESULT, {}), encoding="utf-8")
    assert [found.id for found in read_results(tmp_path / "results.jsonl")] == ["r", "r"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"response": "x"}', "a.jsonl line 1: is no result of `perception-reward score`: id: Field required"),
        ("nope", "a.jsonl line 1: is not JSON"),
    ],
)
def test_a_line_that_is_no_result_is_told(tmp_path: Path, line: str, words: str):
    (tmp_path / "a.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(RecordFileError) as caught:
        list(read_results(tmp_path / "a.jsonl"))
    assert words in str(caught.value)

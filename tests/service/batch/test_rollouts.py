from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perception_reward.annotations.faults import LineError
from perception_reward.service.batch.rollouts import Rollout, RolloutFile, meant


def lines(tmp_path: Path, *records: Any) -> RolloutFile:
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return RolloutFile(path)


def the_fault(file: RolloutFile) -> str:
    ((_, found),) = file
    assert isinstance(found, LineError)
    return found.message


def test_fields_that_a_reward_does_not_need_are_carried_along(tmp_path: Path):
    record = {"id": "r", "response": "AB = 5", "prompt": [{"role": "user"}], "loss": float("nan"), "step": 3}
    (rollout,) = lines(tmp_path, record).rollouts()
    assert rollout.item.response == "AB = 5"
    assert rollout.extra == {"prompt": [{"role": "user"}], "loss": None, "step": 3}


@pytest.mark.parametrize(
    ("fields", "prefix"),
    [
        ({"prompt": "<｜User｜>AC?<｜Assistant｜><think>\n"}, "<think>"),
        ({"prompt": "<｜User｜>AC?<｜Assistant｜><think>\n", "prefix": ""}, ""),
        ({"prompt": "AC?"}, None),
        ({"prompt": [{"role": "user", "content": "<think>"}]}, None),
    ],
)
def test_a_thought_that_the_prompt_opened_is_seen(tmp_path: Path, fields: dict[str, object], prefix: str | None):
    (rollout,) = lines(tmp_path, {"response": "a</think>", **fields}).rollouts()
    assert rollout.item.prefix == prefix
    assert rollout.extra == {name: value for name, value in fields.items() if name != "prefix"}


def test_names_may_be_numbers(tmp_path: Path):
    (rollout,) = lines(tmp_path, {"id": 0, "annotation_id": 17, "response": ""}).rollouts()
    assert (rollout.item.id, rollout.item.annotation_id) == ("0", "17")


def test_lone_surrogates_of_a_policy_are_read(tmp_path: Path):
    (rollout,) = lines(tmp_path, {"response": "a\ud800b", "facts": [{"id": "f", "text": "x\udfff"}]}).rollouts()
    assert rollout.item.response == "a\ufffdb"


def test_a_table_is_read_with_its_messages_and_without_its_images(tmp_path: Path):
    message = {"role": "assistant", "content": "AB = 5", "tool_calls": None}
    row = {"annotation_id": 3, "response": [message], "answer": None, "image": b"png", "reward": 0.5}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    file = RolloutFile(tmp_path / "a.parquet")
    (rollout,) = file.rollouts()
    assert rollout.item.model_dump(exclude_unset=True)["response"][0]["content"] == "AB = 5"
    assert rollout.extra == {"reward": 0.5}
    assert list(file.survey().notes()) == [
        "carried to the results, as `extra`: reward",
        "not carried, because they hold bytes: image",
    ]


def test_an_empty_cell_of_csv_is_a_policy_that_said_nothing(tmp_path: Path):
    (tmp_path / "a.csv").write_text(
        'response,answer,facts\n,5,"[{""id"": ""f"", ""text"": ""x""}]"\n', encoding="utf-8"
    )
    ((_, found),) = RolloutFile(tmp_path / "a.csv")
    assert isinstance(found, Rollout)
    assert (found.item.response, found.item.answer) == ("", "5")
    assert found.item.facts is not None


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"respones": "AB"}, "response: there is none; did you mean it by 'respones'?"),
        ({"Response": "AB"}, "did you mean it by 'Response'?"),
        (
            {"said": "AB", "prompt": "x"},
            "name the field that holds what the policy wrote `response` (said",
        ),
        ({"items": [{"response": "x"}]}, "this is a whole request of POST /v1/score"),
        ({"response": 7}, "response: Input should be a string"),
        ({"response": "x", "facts": [{"id": "f"}]}, "facts[0].text: Field required"),
        ({"response": "x", "facts": [], "annotation_id": "a"}, "item: facts and annotation_id are both given"),
    ],
)
def test_what_cannot_be_scored_says_why(tmp_path: Path, record: Any, words: str):
    assert words in the_fault(lines(tmp_path, record))


def test_a_misspelt_field_and_rollouts_without_facts_are_told(tmp_path: Path):
    rows = [{"response": "x", "anotation_id": "a"}, {"response": "x", "anotation_id": "b", "model": "m"}]
    assert list(lines(tmp_path, *rows).survey().warnings()) == [
        "'anotation_id' (2 of 2 items) is not read; did you mean 'annotation_id'?",
        "none of the items names facts, by annotation_id or as facts: without them there is no perception score",
    ]


def test_what_is_all_right_is_not_warned_about(tmp_path: Path):
    file = lines(tmp_path, {"response": "x", "annotation_id": "a", "response_id": 1, "annotation": "y", "answer": "5"})
    assert list(file.survey().warnings()) == []


def test_an_empty_list_of_facts_names_none(tmp_path: Path):
    rows = [{"response": "x", "facts": []}, {"response": "x", "annotation_id": "a"}]
    assert list(lines(tmp_path, *rows).survey().warnings()) == [
        "1 of 2 items do not name facts, by annotation_id or as facts: without them there is no perception score"
    ]


def test_of_many_faults_the_first_are_told_with_their_lines(tmp_path: Path):
    survey = lines(tmp_path, {"response": "x"}, *[{"resp": "x"}] * 30).survey()
    assert (survey.good, survey.faulty, len(survey.faults)) == (1, 30, 20)
    assert survey.faults[0].startswith("rollouts.jsonl line 2: response")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("anotation_id", "annotation_id"),
        ("annotationId", "annotation_id"),
        ("Annotation ID", "annotation_id"),
        ("fact", "facts"),
        ("anwser", "answer"),
        ("problem_id", None),
        ("idx", None),
        ("prompt", None),
        ("", None),
    ],
)
def test_what_somebody_may_have_meant(name: str, known: str | None):
    assert meant(name, ("id", "annotation_id", "facts", "answer", "response")) == known


@pytest.mark.parametrize("number", [float("inf"), 1e300, -1.0])
def test_a_number_that_is_no_step_and_no_whole_id_is_neither(tmp_path: Path, number: float) -> None:
    pq.write_table(
        pa.table({"id": [number], "response": ["AB = 5"], "step": [number]}),
        path := tmp_path / "rollouts.parquet",
    )
    (rollout,) = RolloutFile(path).rollouts()
    assert rollout.step is None
    assert rollout.item.id == str(int(number) if number.is_integer() else number)

"""Each layout as its writer leaves it, by what of it becomes the item and what is carried along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perception_reward.annotations.faults import LineError
from perception_reward.service.batch.layouts import options_of_text, read_map
from perception_reward.service.batch.rollouts import RolloutFile
from perception_reward.service.scoring.responses import response_text

SAID = "AB = 5, so \\boxed{5}"
MESSAGE = {"role": "assistant", "content": SAID, "refusal": None}
MATHVISTA = {"pid": "7", "question": "AB?", "answer": "5", "choices": ["4", "5"], "answer_type": "text"}
MATHVERSE = {"sample_index": "7", "problem_index": "2", "problem_version": "Vision Only", "answer": "B"}
MATH_V = {"id": "7", "question": "AB?", "options": [], "answer": "5", "level": 1, "subject": "algebra"}

# By name: a record, and the fields of its item besides the response.
RECORDS: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    "perception-reward": [({"response": SAID, "answer": "5", "id": 7, "model": "m"}, {"id": "7", "answer": "5"})],
    "verl": [
        (
            {"input": "user\nAB?\nassistant\n<think>\n", "output": SAID, "gts": "5", "score": 1.0, "step": 3, "acc": 1},
            {"answer": "5", "prefix": "<think>"},
        ),
        ({"input": "AB?", "output": SAID, "score": 1.0, "step": 3, "annotation_id": "g-1"}, {"annotation_id": "g-1"}),
    ],
    "TRL": [
        (
            {"step": 3, "prompt": "AB?", "completion": SAID, "accuracy": 1.0, "advantage": 0.5, "solution": "5"},
            {"answer": "5"},
        ),
        ({"step": 3, "prompt": [{"role": "user", "content": "AB?"}], "completion": [MESSAGE], "advantage": 0.5}, {}),
    ],
    "OpenAI batch": [
        (
            {
                "id": "batch_req_1",
                "custom_id": "7",
                "response": {"status_code": 200, "body": {"id": "c", "choices": [{"index": 0, "message": MESSAGE}]}},
                "error": None,
            },
            {"id": "7"},
        ),
        (
            {
                "custom_id": "7",
                "response": {
                    "status_code": 200,
                    "body": {
                        "output": [
                            {"type": "reasoning", "summary": []},
                            {
                                "type": "message",
                                "role": "assistant",
                                "content": [{"type": "output_text", "text": SAID}],
                            },
                        ]
                    },
                },
            },
            {"id": "7"},
        ),
    ],
    "lmms-eval": [
        ({"doc_id": 7, "target": "5", "filtered_resps": SAID, "input": "AB?", "doc_hash": "x"}, {"answer": "5"}),
        # As its `save_results_samples` leaves a sample: a list for each request, targets as text, and `resps` only
        # where a filter has changed them.
        ({"doc_id": 7, "target": "5", "resps": [[SAID]], "filtered_resps": ["5"]}, {"id": "7", "answer": "5"}),
        ({"doc_id": 7, "target": "['5', 'five']", "filtered_resps": [SAID]}, {"answer": ["5", "five"]}),
        ({"doc_id": 7, "target": "[1, 2]", "filtered_resps": [SAID]}, {"answer": "[1, 2]"}),
    ],
    "VLMEvalKit": [
        (
            {"index": 7.0, "question": "AB?", "A": "4", "B": 5, "C": float("nan"), "answer": "B", "prediction": SAID},
            {"id": "7", "answer": "B", "choices": {"A": "4", "B": "5"}},
        ),
        ({"index": 7, "answer": "5", "choices": "['4', '5']", "prediction": SAID}, {"choices": ["4", "5"]}),
    ],
    "MathVista": [({**MATHVISTA, "response": SAID}, {"id": "7", "answer": "5", "choices": ["4", "5"]})],
    "MathVerse": [
        ({**MATHVERSE, "model_answer": SAID}, {"id": "7", "group": "2", "answer": "B"}),
        ({**MATHVERSE, "response": SAID}, {"id": "7", "answer": "B"}),
    ],
    "MATH-V": [
        ({**MATH_V, "response": SAID}, {"id": "7", "answer": "5", "choices": None}),
        ({"id": "7", "model": "m", "response": SAID, "model_answer": "5", "correct": True}, {"answer": None}),
    ],
    "We-Math": [({"ID": "7", "option": "A. 4; B. 5", "answer": "B", "response": SAID}, {"id": "7", "answer": "B"})],
}


def write(path: Path, *records: Any) -> RolloutFile:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return RolloutFile(path)


@pytest.mark.parametrize(
    ("name", "record", "fields"), [(name, *case) for name, cases in RECORDS.items() for case in cases]
)
def test_a_writers_layout_is_recognised(tmp_path: Path, name: str, record: dict[str, Any], fields: dict[str, Any]):
    file = write(tmp_path / "a.jsonl", record)
    assert file.layout.name == name
    (rollout,) = file.rollouts()
    assert response_text(rollout.item.response) == SAID
    assert {field: getattr(rollout.item, field) for field in fields} == fields
    assert rollout.step == record.get("step")
    assert not {"response", "output", "completion", "prediction", "pid", "doc_id", "gts"} & rollout.extra.keys()


def test_what_was_recognised_is_told_with_its_columns(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", RECORDS["verl"][0][0])
    assert file.described == "verl: response from output, answer from gts, step, prompt from input"


def test_several_samples_of_a_request_of_lmms_eval_are_several_rollouts(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", {"doc_id": 7, "target": "5", "resps": [[SAID, "4"]], "filtered_resps": ["5"]})
    found = [(one.item.id, one.item.group, one.item.response) for one in file.rollouts()]
    assert found == [("7#0", "7", SAID), ("7#1", "7", "4")]


def test_results_keyed_by_problem_are_read(tmp_path: Path):
    (tmp_path / "output.json").write_text(
        json.dumps({"7": {**MATHVISTA, "response": SAID}, "8": {**MATHVISTA, "pid": "8", "response": "4"}}, indent=4)
    )
    file = RolloutFile(tmp_path / "output.json")
    assert file.layout.name == "MathVista"
    assert [(one.item.id, one.item.response) for one in file.rollouts()] == [("7", SAID), ("8", "4")]
    assert all("id" not in one.extra for one in file.rollouts())


def test_a_thought_in_its_own_column_is_part_of_the_response(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", {"index": 1, "prediction": "5", "thinking": "AB = 5."})
    assert next(file.rollouts()).item.response == "<think>AB = 5.</think>\n5"


def test_several_responses_of_a_record_are_rollouts_of_a_group(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", {"doc_id": 7, "target": "5", "resps": ["4", "5"], "filtered_resps": "5"})
    assert [(one.item.id, one.item.group, one.item.response) for one in file.rollouts()] == [
        ("7#0", "7", "4"),
        ("7#1", "7", "5"),
    ]


def test_a_request_that_failed_has_no_response(tmp_path: Path):
    good, bad = dict(RECORDS["OpenAI batch"][0][0]), {"custom_id": "8", "response": None, "error": {"code": "expired"}}
    _, (place, found) = write(tmp_path / "a.jsonl", good, bad)
    assert place == 2
    assert isinstance(found, LineError)
    assert "there is none" in found.message


def test_the_map_overrides_a_layout(tmp_path: Path):
    record = {"input": "AB?", "output": "no", "gts": "4", "score": 1.0, "meta": {"said": SAID, "truth": "5"}}
    write(tmp_path / "a.jsonl", record)
    file = RolloutFile(tmp_path / "a.jsonl", read_map("response=meta.said, answer=meta.truth"))
    (rollout,) = file.rollouts()
    assert (rollout.item.response, rollout.item.answer) == (SAID, "5")
    assert rollout.extra["output"] == "no"
    assert file.described == "verl: response from meta.said, answer from meta.truth, prompt from input"


@pytest.mark.parametrize(
    ("given", "said"), [("response", "is not FIELD=COLUMN"), ("respons=x", "'respons' is no field of a rollout")]
)
def test_a_map_that_is_none_is_told(given: str, said: str):
    with pytest.raises(ValueError, match=said):
        read_map(given)


def test_rollouts_of_one_prompt_share_a_group(tmp_path: Path):
    rows = [{"prompt": p, "completion": "x", "advantage": 0.1} for p in ("AB?", "AB?", "AC?")]
    one, other, third = (rollout.group for rollout in write(tmp_path / "a.jsonl", *rows).rollouts())
    assert one == other != third


@pytest.mark.parametrize("text", ["{[1]: 2}", "{{}: 1}", "[1, 2", "1", "-'a'", "[" * 1000 + "]" * 1000])
def test_a_cell_that_holds_no_options_has_none(text: str):
    assert options_of_text(text) is None


def test_a_cell_holds_options_as_json_or_as_python_shows_them():
    assert options_of_text('{"A": "1"}') == {"A": "1"}
    assert options_of_text("['1', '5']") == ["1", "5"]

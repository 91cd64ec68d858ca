from __future__ import annotations

import json
from typing import Any

import pytest

from perception_reward.trainer_client.trainers.problems import asked_rows, group_of, no_problem, problem_of

BOTH = {"annotation_id": "triangle/1", "answer": "13"}


@pytest.mark.parametrize(
    "row",
    [
        {"annotation_id": "triangle/1", "answer": "13"},
        {"annotation_id": "triangle/1", "solution": "13"},
        {"ground_truth": "13", "extra_info": {"annotation_id": "triangle/1", "index": 3, "images": ["…"]}},
        {"reward_model": {"ground_truth": "13", "style": "rule"}, "extra_info": {"annotation_id": "triangle/1"}},
        {"ground_truth": json.dumps(BOTH), "extra_info": None},
        {"label": json.dumps({"annotation_id": "triangle/1", "ground_truth": "13"})},
        {"ground_truth": BOTH},
        {"extra_info": json.dumps(BOTH)},
        {"metadata": BOTH, "label": ""},
    ],
)
def test_annotation_and_answer_are_found_wherever_a_data_set_has_room(row: dict[str, Any]) -> None:
    assert problem_of(row) == BOTH


def test_a_column_goes_before_what_is_nested() -> None:
    assert problem_of({"annotation_id": "a", "extra_info": {"annotation_id": "b", "answer": "7"}, "answer": "5"}) == {
        "annotation_id": "a",
        "answer": "5",
    }


@pytest.mark.parametrize("answer", [13, 2.5, ["4", "four"], [4, "four"]])
def test_numbers_and_alternatives_travel_as_they_are(answer: object) -> None:
    assert problem_of({"answer": answer}) == {"answer": answer}
    assert problem_of({"label": json.dumps({"answer": answer})}) == {"answer": answer}


def test_options_and_a_tolerance_travel_with_the_answer() -> None:
    row = {"answer": "B", "choices": {"A": "30", "B": "45", "E": None}, "extra_info": {"tolerance": 0.05}}
    assert problem_of(row) == {"answer": "B", "choices": {"A": "30", "B": "45"}, "tolerance": 0.05}
    assert problem_of({"tolerance": 0.05}) == {}


@pytest.mark.parametrize("answer", ["{1, 2}", "\\{x\\}", "{not json", "[1, 2]"])
def test_an_answer_in_braces_is_an_answer(answer: str) -> None:
    assert problem_of({"ground_truth": answer}) == {"answer": answer}


def test_facts_travel_where_there_is_no_annotation() -> None:
    facts = [{"id": "f", "text": "AB is 5."}]
    assert problem_of({"facts": facts, "annotation_id": None}) == {"facts": facts}
    assert problem_of({"facts": facts, "annotation_id": "a"}) == {"annotation_id": "a"}


@pytest.mark.parametrize("row", [{}, {"answer": None}, {"group": "g"}, {"question": "?"}, {"extra_info": {"index": 1}}])
def test_a_row_of_another_task_gives_nothing(row: dict[str, Any]) -> None:
    assert problem_of(row) == {}


def test_only_columns_of_the_data_set_are_read() -> None:
    columns = {"annotation_id": ["a", "b"], "image": [object()] * 2, "answer": ["1", "2"], "label": "xy", "facts": None}
    assert list(asked_rows(columns, 2)) == [
        {"annotation_id": "a", "answer": "1"},
        {"annotation_id": "b", "answer": "2"},
    ]


def test_data_without_anything_to_score_against_is_told_what_is_missing() -> None:
    assert "annotation_id" in str(no_problem("the data set", ["prompt", "image"]))
    assert "image, prompt" in str(no_problem("the data set", ["prompt", "image"]))


def test_what_names_a_problem_is_its_group_and_else_all_that_is_known_of_it_but_the_response() -> None:
    facts = [{"id": "f1", "text": "AB = 5. \ud800"}]
    assert group_of({"annotation_id": "triangle/1", "group": 7}) == "7"
    assert group_of(BOTH) == "triangle/1"
    assert group_of({"facts": facts, "response": "AB = 5"}) == group_of({"facts": facts, "response": "AB = 7"})
    assert group_of({"facts": facts}) != group_of({"facts": facts}, "Find AC.") != group_of({"facts": []}, "Find AC.")

from __future__ import annotations

import json
from typing import Any

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.rows import LAYOUTS, SYSTEM_PROMPT, Incomplete, Picture, Problem, problem_of
from perception_reward.service.rewards.format import format_reward

FACTS = [
    {"id": "f1", "text": "Segment AB has length 5."},
    {"id": "f2", "text": "Segment AB has length 7.", "polarity": "distractor"},
]
WHOLE: dict[str, Any] = {"id": "p1", "question": "Find AC.", "answer": "13", "images": ["a.png"], "facts": FACTS}


def problem(*pictures: Picture, system: str = SYSTEM_PROMPT, **fields: Any) -> Problem:
    return problem_of(Annotation.model_validate({**WHOLE, **fields}), pictures or (Picture("/data/a.png"),), system)


def row(trainer: str, *pictures: Picture, **fields: Any) -> dict[str, Any]:
    return LAYOUTS[trainer].row(problem(*pictures, **fields), 3)


def test_the_system_prompt_asks_for_the_form_that_is_rewarded():
    form = SYSTEM_PROMPT[SYSTEM_PROMPT.index("<think>") :]
    assert format_reward(form) == 1.0


def test_trl_gets_columns_and_puts_images_in_front_itself():
    assert row("trl") == {
        "prompt": [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": "Find AC."}],
        "images": [{"bytes": None, "path": "/data/a.png"}],
        "annotation_id": "p1",
        "answer": "13",
    }


def test_alternatives_travel_as_json_where_a_column_holds_text():
    assert json.loads(row("trl", answer=["4", "four"])["answer"]) == {"answer": ["4", "four"]}
    assert json.loads(row("slime", answer=["4", "four"])["label"]) == {"annotation_id": "p1", "answer": ["4", "four"]}
    assert row("perception-r1", answer=["4", "four"])["answer"] == "4"
    assert row("trl", answer=4)["answer"] == "4"


def test_options_are_listed_with_their_own_labels():
    assert problem(choices={"1": "30", "2": "45"}).question == "Find AC.\n1. 30\n2. 45"
    assert problem(choices=["A. 30", "B. 45"]).question == "Find AC.\nA. 30\nB. 45"


def test_verl_gets_the_id_in_extra_info():
    got = row("verl")
    assert got["prompt"][-1] == {"role": "user", "content": "<image>Find AC."}
    assert got["images"] == ["/data/a.png"]
    assert got["reward_model"] == {"style": "rule", "ground_truth": "13"}
    assert got["extra_info"] == {"index": 3, "annotation_id": "p1", "answer": "13"}


def test_easyr1_gets_all_in_the_answer_and_the_instruction_in_the_problem():
    got = row("easyr1")
    assert json.loads(got["answer"]) == {"annotation_id": "p1", "answer": "13"}
    assert got["problem"].startswith(SYSTEM_PROMPT)
    assert got["problem"].endswith("<image>Find AC.")


def test_the_fork_gets_its_facts_in_its_tags_without_the_false_ones():
    got = row("perception-r1")
    assert got["visual_key_info"] == "<info1>Segment AB has length 5.</info1>"
    assert got["answer"] == "13"


@pytest.mark.parametrize("trainer", ["openrlhf", "slime"])
def test_labels_are_json(trainer: str):
    assert json.loads(row(trainer)["label"]) == {"annotation_id": "p1", "answer": "13"}


def test_gym_gets_responses_input_and_what_to_verify_by():
    got = row("nemo-gym", Picture("http://images/a.png"))
    assert got["responses_create_params"]["input"][-1]["content"] == [
        {"type": "input_image", "image_url": "http://images/a.png"},
        {"type": "input_text", "text": "Find AC."},
    ]
    assert got["verifier_metadata"] == {"annotation_id": "p1", "answer": "13"}


def test_choices_are_part_of_the_question():
    assert row("ms-swift", choices=["5", "13"])["messages"][-1]["content"] == "<image>Find AC.\nA. 5\nB. 13"


def test_places_in_the_question_stay_where_they_are():
    pictures = (Picture("a.png"), Picture("b.png"))
    got = row("slime", *pictures, question="From <image> to <image>, what has changed?")
    assert got["prompt"][-1]["content"] == "From <image> to <image>, what has changed?"
    assert got["images"] == ["a.png", "b.png"]
    assert row("slime", *pictures)["prompt"][-1]["content"] == "<image><image>Find AC."


def test_content_travels_in_the_form_that_each_trainer_reads():
    picture = Picture("/data/a.png", b"pixels")
    assert row("verl", picture)["images"] == row("easyr1", picture)["images"] == [{"bytes": b"pixels"}]
    assert row("trl", picture)["images"] == [{"bytes": b"pixels", "path": "/data/a.png"}]
    assert row("openrlhf", picture)["images"] == ["data:image/png;base64,cGl4ZWxz"]


@pytest.mark.parametrize("trainer", LAYOUTS)
def test_without_a_system_prompt_there_is_no_system_message(trainer: str):
    assert "system" not in json.dumps(LAYOUTS[trainer].row(problem(system=""), 0))


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [
        ({"question": None}, "no question"),
        ({"question": " "}, "no question"),
        ({"answer": None}, "no answer"),
        ({"facts": []}, "no facts"),
        ({"question": None, "answer": ""}, "no question, no answer"),
        ({"question": "<image> or <image>?"}, "2 <image> in its question and 1 images"),
    ],
)
def test_what_is_missing_is_named(fields: dict[str, Any], lacking: str):
    with pytest.raises(Incomplete) as refusal:
        problem(**fields)
    assert str(refusal.value).startswith("annotation 'p1' has ")
    assert lacking in str(refusal.value)


def test_an_annotation_without_an_image_is_incomplete():
    with pytest.raises(Incomplete, match="no image"):
        problem_of(Annotation.model_validate(WHOLE), ())

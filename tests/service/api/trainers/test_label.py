from __future__ import annotations

from typing import Any

import pytest

from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.api.trainers.label import fields_of, item, known_fields


@pytest.mark.parametrize(
    ("label", "fields"),
    [
        ("13", {"answer": "13"}),
        (13, {"answer": 13}),
        (2.5, {"answer": 2.5}),
        ('{"answer": ["4", "four"], "tolerance": 0.05}', {"answer": ["4", "four"], "tolerance": 0.05}),
        ("\\frac{1}{2}", {"answer": "\\frac{1}{2}"}),
        ("{1, 2}", {"answer": "{1, 2}"}),
        ("[1, 2]", {"answer": "[1, 2]"}),
        ('{"annotation_id": "triangle/1"}', {"annotation_id": "triangle/1"}),
        (' {"annotation_id": "triangle/1", "answer": 13}', {"annotation_id": "triangle/1", "answer": 13}),
        ({"annotation_id": "triangle/1", "answer": None}, {"annotation_id": "triangle/1"}),
        ({"answer": "B", "choices": ["1", "2"]}, {"answer": "B", "choices": ["1", "2"]}),
    ],
)
def test_a_label_is_an_answer_or_says_what_it_is(label: object, fields: dict[str, Any]):
    assert fields_of(label, "label") == fields


@pytest.mark.parametrize("label", ["", "  ", None, [], {}, True, '{"group": "g"}', "{}", {"answer": None}])
def test_a_label_that_says_nothing_is_refused(label: object):
    with pytest.raises(InvalidRequest) as refusal:
        fields_of(label, "labels[3]")
    assert refusal.value.where == "labels[3]"


def test_a_misspelt_field_is_refused_and_named():
    with pytest.raises(InvalidRequest) as refusal:
        fields_of({"anotation_id": "x", "answer": "1"}, "labels[3]")
    assert refusal.value.where == "labels[3].anotation_id"
    assert "annotation_id" in refusal.value.message


def test_a_row_may_hold_other_fields():
    assert known_fields({"answer": "1", "level": "hard"}, "row") == {"answer": "1"}


def test_what_is_wrong_in_a_label_is_said_of_the_label():
    with pytest.raises(InvalidRequest) as refusal:
        item({"response": "AB = 5"}, fields_of({"facts": [{"id": "f"}]}, "label"), "label")
    assert refusal.value.where == "label.facts[0].text"

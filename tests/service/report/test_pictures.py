"""Pictures: they parse, and say in words and numbers what they show."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from perception_reward.service.report.pictures import Picture, histogram, intervals, lines, stacks

HOSTILE = '<img src=x onerror="alert(1)">'
PICTURES = [
    histogram("perception", {HOSTILE: [0.0, 0.5, 1.0], "b": [0.2]}, low=0.0, high=1.0),
    lines("accuracy", {HOSTILE: [(0, 0.1), (10, 0.4)], "b": [(0, 0.2)]}, x="step"),
    lines("flat", {HOSTILE: [(0, 0.0), (10, 0.0)]}, x="step", mark=5),
    intervals("errors", [(HOSTILE, 0.5, 0.4, 0.6)], ["", "share", "95 %"]),
    stacks("advantage", {HOSTILE: {"accuracy": 1.2, "perception": -0.2}}),
]


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_has_a_title_a_description_and_a_table(picture: Picture):
    tree = ElementTree.fromstring(picture.svg)
    assert [child.tag for child in tree[:2]] == ["title", "desc"]
    assert tree.get("aria-labelledby") == f"{tree[0].get('id')} {tree[1].get('id')}"
    assert picture.rows
    assert all(len(row) == len(picture.columns) for row in picture.rows)
    assert not [element for element in tree.iter() if element.tag == "img"]


def test_the_numbers_are_those_given():
    assert PICTURES[0].rows[0] == ["0.00 to 0.05", "33.3%", "0.0%"]
    assert PICTURES[1].rows == [["0", "0.1", "0.2"], ["10", "0.4", "–"]]

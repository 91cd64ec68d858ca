"""A fact's sort, by how the symbolic judge reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.symbolic.kinds import KINDS, kind_of


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Segment AB has length 5.", "length"),
        ("Angle ABC measures 50 degrees.", "angle"),
        ("Arc AB measures 50 degrees.", "arc"),
        ("The radius of circle O is 5.", "size"),
        ("AB is perpendicular to CD.", "perpendicular"),
        ("Angle ABC is a right angle.", "perpendicular"),
        ("AB is parallel to CD.", "parallel"),
        ("Point D lies on line AB.", "incidence"),
        ("Segments AB and CD have equal length.", "equality"),
        ("AB is a diameter of the circle.", "circle_part"),
        ("Quadrilateral ABCD is a rhombus.", "shape"),
        ("There are three dogs.", "amount"),
        ("Sales in 2019 were 40.", "amount"),
        ("The car is red.", "sentence"),
        ("A man in a long coat waits for his friend at the corner of an old house.", "sentence"),
    ],
)
def test_facts_are_told_apart_by_what_they_say(text: str, kind: str):
    assert kind_of(text) == kind


@given(st.text(min_size=1, max_size=200))
def test_any_text_has_a_known_kind(text: str):
    assert kind_of(text) in KINDS

"""Denials contradict, wherever and however they stand; hedged, supposed or asked they do nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.geometry.contrasts import MAX_READINGS, readings
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact


def label(fact: str, response: str) -> str:
    return decide_all(response, [Fact(id="f", text=fact)])[0].label


CONTRADICTED = [
    ("AB is a diameter of the circle.", "AB is a chord, not a diameter."),
    ("AB is a diameter of the circle.", "AB isn't a diameter."),
    ("AB is a diameter of the circle.", "AB is not a diameter of the circle."),
    ("AB is a diameter of the circle.", "AB is only a chord rather than a diameter."),
    ("AB is a diameter of the circle.", "AB is not the diameter."),
    ("AB is a diameter of the circle.", "The chord AB is no diameter."),
    ("AB is a diameter of the circle.", "AB does not pass through the center, so it is not a diameter."),
    ("AB is a diameter of the circle.", "The diameter of the circle is not AB."),
    ("AB is a diameter of the circle.", "The diameter is CD, not AB."),
    ("AB is a diameter of the circle.", "AB can't be a diameter."),
    ("AB is a diameter of the circle.", "Segment AB cannot be a diameter here."),
    ("AB is a diameter of the circle.", "AB is a chord that is not a diameter."),
    ("AB is a diameter of the circle.", "AB is a chord and it isn't a diameter."),
    ("AB is a diameter of the circle.", "It is not true that AB is a diameter."),
    ("AB is perpendicular to CD.", "AB isn't perpendicular to CD."),
    ("AB is perpendicular to CD.", "AB and CD aren't perpendicular."),
    ("AB is perpendicular to CD.", "AB is nowhere near perpendicular to CD."),
    ("AB is perpendicular to CD.", "AB and CD do not meet at a right angle."),
    ("AB is perpendicular to CD.", "AB is hardly perpendicular to CD."),
    ("AB is perpendicular to CD.", "AB is by no means perpendicular to CD."),
    ("AB is perpendicular to CD.", "AB is parallel rather than perpendicular to CD."),
    ("AB is perpendicular to CD.", "The lines AB and CD are not at right angles."),
    ("AB is perpendicular to CD.", "AB meets CD, but not at a right angle."),
    ("AB is perpendicular to CD.", "AB, CD are far from being perpendicular."),
    ("AB is parallel to CD.", "AB and CD are not parallel."),
    ("AB is parallel to CD.", "AB and CD are not parallel lines."),
    ("AB is parallel to CD.", "AB does not run parallel to CD."),
    ("AB is parallel to CD.", "AB is never parallel to CD."),
    ("AB is parallel to CD.", "AB is not parallel to line CD, as they meet at E."),
    ("AB is parallel to CD.", "AB and CD are perpendicular, not parallel."),
    ("Point D lies on line AB.", "D lies off line AB."),
    ("Point D lies on line AB.", "D is not on AB."),
    ("Point D lies on line AB.", "D does not lie on AB."),
    ("Point D lies on line AB.", "D is off AB."),
    ("Point D lies on line AB.", "D isn't a point of line AB."),
    ("Point D lies on line AB.", "Line AB does not pass through D."),
    ("Point D lies on line AB.", "Line AB misses D."),
    ("Point D lies on line AB.", "Line AB does not contain D."),
    ("Point D lies on line AB.", "D doesn't sit on line AB."),
    ("Point D lies on line AB.", "Point D is away from AB."),
    ("AB is tangent to the circle.", "AB misses the circle."),
    ("AB is tangent to the circle.", "AB isn't tangent to the circle."),
    ("AB is tangent to the circle.", "The line AB is no tangent."),
    ("AB is tangent to the circle.", "AB is not a tangent."),
    ("AB is tangent to the circle.", "AB is a secant, not a tangent."),
    ("AB is tangent to the circle.", "AB does not touch the circle."),
    ("AB is tangent to the circle.", "AB is a secant rather than a tangent of the circle."),
    ("AB is tangent to the circle.", "Line AB cuts the circle, so it is not tangent to it."),
    ("AB = CD.", "AB does not equal CD."),
    ("AB = CD.", "AB and CD are not congruent."),
    ("AB = CD.", "AB isn't equal to CD."),
    ("AB = CD.", "AB and CD are of different lengths."),
    ("AB = CD.", "AB and CD differ in length."),
    ("AB = CD.", "AB and CD have different lengths."),
    ("AB = CD.", "AB is longer than CD."),
    ("AB = CD.", "AB is not as long as CD."),
    ("AB = CD.", "AB isn't the same length as CD."),
    ("AB = CD.", "AB and CD are unequal."),
    ("AB = CD.", "AB ≠ CD."),
    ("AB = CD.", "AB doesn't match CD."),
    ("AB has length 5.", "The length of AB is not 5."),
    ("AB has length 5.", "The length of AB isn't 5."),
    ("AB has length 5.", "AB is not 5 but 7."),
    ("AB has length 5.", "Instead of 5, AB is 7."),
    ("AB has length 5.", "AB measures 7 rather than 5."),
    ("AB has length 5.", "AB is 7, not 5."),
    ("AB has length 5.", "AB doesn't measure 5."),
    ("AB has length 5.", "AB has a length other than 5."),
    ("AB has length 5.", "AB cannot be 5."),
    ("AB has length 5.", "It is not the case that AB is 5."),
    ("AB has length 5.", "AB is not equal to 5."),
    ("AB has length 5.", "AB ≠ 5."),
    ("AB has length 5.", "AB is not labeled 5."),
    ("AB has length 5.", "The label 5 does not belong to AB."),
    ("AB has length 5.", "The length of AB is 7 instead of 5."),
    ("Angle ABC measures 50 degrees.", "The measure of angle ABC isn't 50°."),
    ("Angle ABC measures 50 degrees.", "Angle ABC is 60 degrees, not 50."),
    ("Angle ABC measures 50 degrees.", "Angle ABC is not 50°."),
    ("Angle ABC measures 50 degrees.", "∠ABC isn't 50°; it is 60°."),
    ("Point D lies on circle O.", "D is not on the circle O."),
    ("Point D lies on circle O.", "D lies inside circle O."),
    ("Point D lies on circle O.", "D is outside the circle O."),
    ("Point D lies on circle O.", "D lies off circle O."),
    ("Point D lies on circle O.", "Circle O does not pass through D."),
    ("Angle ABC is a right angle.", "Angle ABC is not a right angle."),
    ("Angle ABC is a right angle.", "There is no right angle at B."),
    ("Angle ABC is a right angle.", "∠ABC isn't right."),
    ("Angle ABC is a right angle.", "∠ABC is acute, not right."),
    ("Angle ABC is a right angle.", "∠ABC is obtuse."),
    ("Angle ABC is a right angle.", "∠ABC is an acute angle."),
    ("Angle ABC equals angle DEF.", "Angles ABC and DEF are not equal."),
    ("Angle ABC equals angle DEF.", "∠ABC is different from ∠DEF."),
    ("Angle ABC equals angle DEF.", "∠ABC and ∠DEF have different measures."),
    ("Quadrilateral ABCD is a rhombus.", "ABCD isn't a rhombus."),
    ("Quadrilateral ABCD is a rhombus.", "ABCD is not a rhombus."),
    ("Quadrilateral ABCD is a rhombus.", "ABCD is no rhombus."),
    ("Quadrilateral ABCD is a rhombus.", "ABCD is a rectangle, not a rhombus."),
    ("Quadrilateral ABCD is a rhombus.", "The figure is not a rhombus."),
    ("Arc AB measures 50 degrees.", "Arc AB isn't 50°."),
    ("Arc AB measures 50 degrees.", "Arc AB doesn't measure 50°."),
]


@pytest.mark.parametrize(("fact", "response"), CONTRADICTED)
def test_a_denial_contradicts(fact: str, response: str) -> None:
    assert label(fact, response) == "contradicted"


ABSENT = [
    ("AB is a diameter of the circle.", "AB might not be a diameter."),
    ("AB is a diameter of the circle.", "Is AB not a diameter?"),
    ("AB is a diameter of the circle.", "If AB is not a diameter, then x is 3."),
    ("AB is perpendicular to CD.", "AB is not necessarily perpendicular to CD."),
    ("AB is parallel to CD.", "There is no sign that AB is parallel to CD."),
    ("Point D lies on line AB.", "D is above line AB."),
    ("AB has length 5.", "AB is not labeled."),
    ("AB has length 5.", "Isn't AB 5?"),
    ("AB has length 5.", "AB may not be 5."),
    ("AB has length 5.", "Suppose AB is not 5."),
    ("AB has length 5.", "AB is not 7."),
    ("Quadrilateral ABCD is a rhombus.", "We see the rhombus PQRS."),
    ("Quadrilateral ABCD is a rhombus.", "PQRS is a rhombus."),
    ("Quadrilateral ABCD is a rhombus.", "The rhombus PQRS is large. ABCD is next to it."),
    ("Quadrilateral ABCD is a rhombus.", "The figure is a rhombus PQRS."),
    ("Quadrilateral ABCD is a rhombus.", "We have rhombus $PQRS$ here."),
    ("Quadrilateral ABCD is a rhombus.", "Here there is a rhombus, PQRS."),
    ("Quadrilateral ABCD is a rhombus.", "The quadrilateral PQRS is the rhombus here."),
    ("Quadrilateral ABCD is a rhombus.", "PQRS forms a rhombus."),
    ("AB has length 5.", "AB, next to CD, is 5."),
]


@pytest.mark.parametrize(("fact", "response"), ABSENT)
def test_what_is_not_denied_of_the_fact_leaves_it_absent(fact: str, response: str) -> None:
    assert label(fact, response) == "absent"


STATED = [
    ("AB is a diameter of the circle.", "AB is not a radius but a diameter."),
    ("AB has length 5.", "AB is not 7 but 5."),
    ("AB has length 5.", "AB is 5, not 7."),
    ("AB has length 5.", "AB is 5 rather than 7."),
    ("Quadrilateral ABCD is a rhombus.", "The rhombus has equal sides."),
    ("Angle ABC measures 50 degrees.", "The angle at the corner, ∠ABC, is labelled 50°."),
    ("AB has length 5.", "AB, which lies opposite the right angle, is labelled 5."),
    ("Angle ABC measures 50 degrees.", "Angle ABC, near the top, is marked 50°."),
    ("AB has length 5.", "AB, as the figure shows, is 5."),
    ("AB has length 5.", "AB, the longest side, measures 5 cm."),
]


@pytest.mark.parametrize(("fact", "response"), STATED)
def test_what_is_denied_of_something_else_or_set_aside_leaves_the_fact_stated(fact: str, response: str) -> None:
    assert label(fact, response) == "stated"


def test_a_reading_keeps_every_place() -> None:
    text = "AB is a chord, not a diameter."
    assert list(readings(text)) == ["AB is          not a diameter."]


def test_a_hedge_is_never_blanked() -> None:
    assert not list(readings("AB, perhaps the longest side, is 5."))


@given(st.text(alphabet="AB5 ,.;'nothatisbu\n", max_size=200))
def test_readings_are_few_and_blank_only(text: str) -> None:
    found = list(readings(text))
    assert len(found) <= MAX_READINGS
    for reading in found:
        assert len(reading) == len(text)
        assert all(new in (old, " ") for old, new in zip(text, reading, strict=True))

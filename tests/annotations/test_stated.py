"""A statement is known in the words that models use for it, and none is read into words that say more or less."""

from __future__ import annotations

import pytest

from perception_reward.annotations.english import read_sentence
from perception_reward.annotations.stated import statement_of


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            "Segment AB has length 5.",
            [
                "AB = 5",
                "$BA = 5$",
                "The length of segment AB is 5 units.",
                "Side AB is labeled 5.",
                "In the figure, AB measures 5 cm.",
            ],
        ),
        ("Segment AB has length 2x + 3.", ["AB is marked 3 + 2x", "AB = 2x+3"]),
        ("Segment AB has length 3√2/2.", [r"$AB = \frac{3\sqrt{2}}{2}$"]),
        ("Angle ABC measures 70 degrees.", ["m∠CBA = 70°.", "The measure of angle ABC is 70°.", "∠ABC = 70"]),
        ("Angle ABC measures 90 degrees.", ["∠ABC is a right angle"]),
        ("Angle 1 measures 40 degrees.", ["∠1 = 40°"]),
        ("Minor arc AC measures 70 degrees.", ["The minor arc AC is 70°"]),
        ("AB is perpendicular to CD.", ["CD ⊥ AB"]),
        ("AB is parallel to CD.", ["AB ∥ CD", "Lines AB and CD are parallel"]),
        ("Angles ABC and DEF have equal measure.", ["∠DEF ≅ ∠ABC"]),
        ("Segments AB and CD have equal length.", ["AB = CD"]),
        ("Point M lies on line AB.", ["M is on AB"]),
        ("Point A lies on circle O.", ["A lies on circle O"]),
        ("The radius of circle O is 5.", ["The radius of circle O is 5 cm"]),
    ],
)
def test_a_statement_is_known_in_other_words(ours: str, theirs: list[str]) -> None:
    said = read_sentence(ours)
    assert said is not None
    for text in theirs:
        read = statement_of(text)
        assert read is not None, text
        assert read.key == said.key, text


@pytest.mark.parametrize(
    "text",
    [
        "AB is not 5",
        "AB is about 5",
        "AB ≈ 5",
        "AB is greater than 5",
        "AB is 5 or 6",
        "AB = CD = 5",
        "AB is 5 and perpendicular to CD",
        "PQ = 10 and RS = 25",
        "Half the length of AB is 5",
        "If AB = 5, then CD = 6",
        "Is AB = 5?",
        "Perhaps AB = 5",
        "Angle A is 40°",
        "∠ABC = 1.2 rad",
        "x = 5",
        "The cat is black.",
        "",
    ],
)
def test_nothing_is_read_into_a_text(text: str) -> None:
    assert statement_of(text) is None

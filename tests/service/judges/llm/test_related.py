from __future__ import annotations

import pytest

from perception_reward.annotations.language.stems import stem
from perception_reward.service.audit.attacks.catalogue import families
from perception_reward.service.judges.llm.related import NOTHING, related, spoken
from perception_reward.service.judges.llm.selection import GAP, select
from perception_reward.trainer_client.wire import Fact

NOISE = "The weather was fine that day."
# What bears on some facts by itself, and would otherwise be all that is kept.
NAMED = f"{NOISE} AB = 3 and BC = 4. {NOISE} Here ABC and ABCD are drawn. {NOISE}"
SAID_IN_OTHER_WORDS = [
    ("Triangle ABC is equilateral.", "All three sides are equal."),
    ("Triangle ABC is equilateral.", "Its sides all have the same length."),
    ("Triangle ABC is isosceles.", "Two of the sides are equally long."),
    ("Triangle ABC is a right triangle.", "One of the angles is 90°."),
    ("ABCD is a square.", "It has four equal sides and four right angles."),
    ("AB is a diameter of the circle.", "The chord passes through the centre."),
    ("AB is perpendicular to BC.", "They form a 90° angle."),
    ("AB is perpendicular to BC.", "The two meet at a right angle."),
    ("Angle ABC measures 90 degrees.", "A small square is drawn at the corner."),
    ("AB is parallel to CD.", "The two lines will never meet."),
    ("AB is parallel to CD.", "These don't intersect."),
    ("AB bisects CD.", "It cuts the side into two equal parts."),
    ("B is the midpoint of AC.", "It splits the base into halves."),
    ("Triangles ABC and DEF are congruent.", "The two triangles are equal."),
    ("Angle ABC equals angle ACB.", "It is an isosceles triangle."),
    ("The line is tangent to the circle.", "It touches it once."),
    ("The figure is a hexagon.", "It has six sides."),
]


@pytest.mark.parametrize(("fact", "sentence"), SAID_IN_OTHER_WORDS)
def test_a_sentence_that_says_a_fact_in_other_words_is_kept_beside_stronger_ones(fact: str, sentence: str) -> None:
    kept = select(f"{NAMED} {sentence} {NOISE}", Fact(id="f", text=fact)).split("\n")
    assert sentence in kept
    assert NOISE not in kept[kept.index(sentence) + 1 :]


@pytest.mark.parametrize("sentence", [sentence for _, sentence in SAID_IN_OTHER_WORDS])
def test_it_has_no_part_in_a_fact_about_something_else(sentence: str) -> None:
    assert select(f"{NOISE} {sentence} {NOISE}", Fact(id="f", text="The dog wears a red collar.")) == ""
    assert select(f"{NOISE} AB = 5. {NOISE} {sentence}", Fact(id="f", text="Segment AB has length 5.")) == (
        f"{GAP}\nAB = 5.\n{GAP}"
    )


@pytest.mark.parametrize("fact", sorted({fact for fact, _ in SAID_IN_OTHER_WORDS}))
def test_nothing_is_left_of_a_text_without_content(fact: str) -> None:
    (content_free,) = [family for family in families() if family.name == "content-free"]
    # What is in another script is read whole, whatever the fact.
    texts = [text for text in content_free.texts if not any(char.isalpha() and char > "\u024f" for char in text)]
    assert len(texts) > 20
    assert [text for text in texts if select(text, Fact(id="f", text=fact))] == []


def test_two_ways_to_speak_of_a_term_are_not_enough() -> None:
    equal, equilateral = spoken({stem("sides"), "equal"}), spoken({stem("equilateral")})
    assert related(equal, equilateral)
    assert related(equilateral, equal)
    assert not related(equal, equal)
    assert spoken({"dog", "5"}) == NOTHING

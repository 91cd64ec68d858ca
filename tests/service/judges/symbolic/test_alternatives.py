"""A value that is one of several says nothing; a fact said with what excludes it is settled against it."""

from __future__ import annotations

import pytest

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.alternatives import goes_on
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact


def verdict(fact: str, response: str) -> Verdict:
    return decide_all(response, [Fact(id="f", text=fact)])[0]


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Segment AB has length 5.", "AB is 5, 6, 7 or 8."),
        ("Segment AB has length 5.", "Segment AB has length 5 (or 6)."),
        ("Segment AB has length 5.", "AB is either 5 or 6."),
        ("Angle ABC measures 50 degrees.", "∠ABC is 40°, 50°, or 60°."),
        ("Quadrilateral ABCD is a rhombus.", "ABCD is a square, rhombus, rectangle or kite."),
        ("There are three dogs.", "There are 2, 3 or 4 dogs."),
        ("Sales in 2019 were 40.", "Sales in 2019 were 30, 40 or 50."),
    ],
)
def test_a_value_offered_among_others_is_absent_and_settled(fact: str, response: str):
    found = verdict(fact, response)
    assert (found.label, found.settled) == ("absent", True)


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Segment AB has length 5.", "AB might be 5."),
        ("Segment AB has length 5.", "If AB = 5, the rest follows."),
        ("Segment AB has length 5.", "Is AB equal to 5?"),
        ("The bar for Monday shows 40 books.", "Perhaps the bar for Monday shows 40 books."),
        ("The cat is on the table.", "Is the cat on the table?"),
    ],
)
def test_what_is_only_supposed_asked_or_hedged_is_settled(fact: str, response: str):
    found = verdict(fact, response)
    assert (found.label, found.settled) == ("absent", True)


def test_what_is_also_asserted_is_not_settled():
    found = verdict("Segment AB has length 5.", "Is AB equal to 5? Yes: AB = 5.")
    assert (found.label, found.settled) == ("stated", False)


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Segment AB has length 5.", "AB = 5. AB = 6. AB = 7."),
        ("Segment AB has length 5.", "\n".join(f"- AB = {value}" for value in range(1, 30))),
        ("Segment AB has length 5.", "| segment | length |\n|---|---|\n| AB | 4 |\n| AB | 5 |\n| AB | 6 |"),
        ("Segment AB has length 5.", "AB is 5. AB is not 5."),
        ("Angle ABC measures 50 degrees.", "∠ABC measures 50 degrees. ∠ABC does not measure 50 degrees."),
        ("AB is perpendicular to CD.", "AB is perpendicular to CD. AB is parallel to CD."),
        ("Point D lies on line AB.", "D lies on AB. D does not lie on AB."),
        ("There are three dogs.", "There are 2 dogs. There are 3 dogs. There are 4 dogs."),
        ("The car is red.", "The car is red. The car is blue."),
        ("There is a dog.", "There is a dog. There is no dog."),
    ],
)
def test_a_fact_said_with_what_excludes_it_is_contradicted_and_settled(fact: str, response: str):
    found = verdict(fact, response)
    assert (found.label, found.settled) == ("contradicted", True)


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Segment AB has length 5.", "AB = 5, or equivalently, BA = 5."),
        ("Segment AB has length 5.", "AB is 5, so CD is 7 or 8."),
        ("Segment AB has length 5.", "AB = 4, no wait, AB = 5."),
        ("Segment AB has length 5.", "AB = 5 and CD = 6."),
        ("The car is red.", "The car is red and white."),
    ],
)
def test_other_values_of_other_things_leave_a_statement_alone(fact: str, response: str):
    found = verdict(fact, response)
    assert (found.label, found.settled) == ("stated", False)


def test_a_response_that_says_nothing_else_settles_nothing():
    assert not verdict("Segment AB has length 5.", "AB = 6.").settled
    assert not verdict("Segment AB has length 5.", "CD = 6.").settled


def test_a_list_goes_on_to_its_or_at_once():
    assert goes_on("a rhombus, kite or square.", 9)
    assert goes_on("5 (or 6)", 1)
    assert not goes_on("5, so CD is 7 or 8", 1)
    assert not goes_on("5 and 6", 1)
